"""The command `rise evaluate`: plays the protocols of the RISE paper with one or more agents.

    rise evaluate RISE-Arithmetic-v0 --agent tiny --limit 300 --out runs/base
    rise evaluate RISE-GSM8K-v0 --agent A --agent B --protocols '[sequential, parallel, oracle]' --out runs/ab

By default, each agent plays two protocols per problem and seed. In one it plays T turns with feedback that
does not say whether a reply is correct. In the other it samples K independent first replies. The report has
the metrics of the paper (arXiv:2407.18219, section 5): the accuracy of the first reply (m1@t1), of a majority
vote over the replies of T turns (m1@tT) and of a vote over K first replies (mK@t1), and the fraction of
problems with a correct reply in any of T turns (p1@tT). The setting `protocols` adds others; see
`rise_agents.evaluation.protocols`.

The logs are stores in OUT/<label>/seed-<seed>/. The command ends with the table of `rise report`, which also
writes figures and a page.
"""

from collections.abc import Sequence
from pathlib import Path

from rise_agents.evaluation.evaluate_agents import EvaluateConfig, forecast, run
from rise_env.errors import RiseError
from rise_env.trajectories.outcomes import Outcomes, closing_lines, end_with, failure
from rise_env.trajectories.store import read_trajectories
from rise_env.utils.config_parser import parse
from rise_env.utils.plugins import COMMANDS, find_plugin, load

_NEEDED = {"sequential", "parallel"}
"""Protocols without which there is no table."""


def main(argv: Sequence[str]) -> int:
    """Run `rise evaluate` with these arguments; return the exit code."""
    config = parse(EvaluateConfig, argv, prog="rise evaluate", positional="env")
    if config.dry_run:
        for name, most in forecast(config).items():
            print(f"{name:<12} {most}")
        return 0
    counts = {label: _counted(config, folders) for label, folders in run(config).items()}
    if not _print_table(config):
        for label, outcomes in counts.items():
            for line in closing_lines(outcomes, config.failures):
                print(f"{label}: {line}")
    if any(outcomes.failed for outcomes in counts.values()):
        print("the same command with --retry-failed plays the failed episodes again")
    print(f"logs in {config.out}; rise report {config.out} writes figures and a page with every episode")
    failures = {label: failure(outcomes, config.failures) for label, outcomes in counts.items()}
    said = "; ".join(f"{label}: {text}" for label, text in failures.items() if text)
    return end_with(said, prog="rise evaluate")


def _counted(config: EvaluateConfig, folders: Sequence[Path]) -> Outcomes:
    outcomes = Outcomes()
    for folder in folders:
        for protocol in config.protocols:
            outcomes.add(read_trajectories(folder / f"{protocol}.jsonl"))
    return outcomes


def _print_table(config: EvaluateConfig) -> bool:
    """Print the table of `rise report`, which another package has; return whether there is one."""
    if not config.report or not set(config.protocols) >= _NEEDED:
        return False
    options = ["--files", "false", "--failures.warn-above", str(config.failures.warn_above)]
    try:
        load(find_plugin(COMMANDS, "report", "command"))([config.out, *options])
    except RiseError as error:  # for example, earlier logs in the folder are of other problems
        print(f"no table: {error}")
        return False
    return True
