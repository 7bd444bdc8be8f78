"""The command `rise evaluate`: plays the protocols of the RISE paper with one or more agents.

    rise evaluate RISE-Arithmetic-v0 --agent tiny --limit 300 --out runs/base
    rise evaluate RISE-GSM8K-v0 --agent A --agent B --protocols '[sequential, parallel, oracle]' --out runs/ab

By default, each agent plays two protocols per problem and seed. In one it plays T turns with feedback that
does not say whether a reply is correct. In the other it samples K independent first replies. The report has
the metrics of the paper (arXiv:2407.18219, section 5): the accuracy of the first reply (m1@t1), of a majority
vote over the replies of T turns (m1@tT) and of a vote over K first replies (mK@t1), and the fraction of
problems with a correct reply in any of T turns (p1@tT). The setting `protocols` adds others; see
`rise_agents.evaluation.protocols`.

The logs are stores in OUT/<label>/seed-<seed>/, and `rise report OUT` summarises them.
"""

from collections.abc import Sequence

from rise_agents.evaluation.evaluate_agents import EvaluateConfig, forecast, run
from rise_env.utils.config_parser import parse


def main(argv: Sequence[str]) -> int:
    """Run `rise evaluate` with these arguments; return the exit code."""
    config = parse(EvaluateConfig, argv, prog="rise evaluate", positional="env")
    if config.dry_run:
        for name, most in forecast(config).items():
            print(f"{name:<12} {most}")
        return 0
    run(config)
    print(f"logs in {config.out}; rise report {config.out} summarises them")
    return 0
