"""The command `rise evaluate`: plays the protocols of the RISE paper with one or more agents.

    rise evaluate RISE-Arithmetic-v0 --agent tiny --limit 300 --out runs/base
    rise evaluate RISE-GSM8K-v0 --agent A --agent B --protocols '[sequential, parallel, oracle]' --out runs/ab

By default, each agent plays one episode of T turns per problem and seed without an oracle (m1@t1, m1@tT,
p1@tT, accuracy by turn), and samples K independent first replies (mK@t1, pass@k). `protocols` lists the
others. The logs are stores in OUT/<label>/seed-<seed>/, and `rise report OUT` summarises them. Source:
arXiv:2407.18219, section 5.
"""

from collections.abc import Sequence

from rise_agents.evaluation.evaluate_agents import EvaluateConfig, forecast, run
from rise_env.cli.config_parser import parse


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
