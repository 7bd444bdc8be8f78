"""The command `rise learn`: learns rules or a memory from training problems, without changing weights.

    rise learn RISE-GSM8K-v0 --method rules --agent vllm:PATH --train 300 --validate 200 --out runs/rules
    rise evaluate RISE-GSM8K-v0 --agent instructed:vllm:PATH --agent_settings.rules runs/rules/rules.json

    rise learn RISE-GSM8K-v0 --method memory --agent sage:vllm:PATH --train 2000 --out runs/memory

See docs/rules.md and docs/memory.md. After a kill at any point, the same command goes on.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rise_agents.learning.config import LearnConfig
from rise_agents.learning.estimate import described
from rise_agents.learning.learn import run
from rise_agents.memory.learner import MEMORY
from rise_agents.rules.learner import RULES
from rise_env.utils.config_parser import parse


def main(argv: Sequence[str]) -> int:
    """Run `rise learn` with these arguments; return the exit code."""
    config = parse(LearnConfig, argv, prog="rise learn", positional="env")
    if config.dry_run:
        print(described(config))
        return 0
    result = run(config, say=lambda line: print(line, flush=True))
    print("\n".join((_of_rules if config.method == "rules" else _of_memory)(config, result)))
    return 0


def _of_rules(config: LearnConfig, result: dict[str, Any]) -> list[str]:
    lines = [f"  {text}" for text in result["rules"]] or ["  (no rule was accepted)"]
    scores = ", ".join(f"{value:.3f} {name}" for name, value in result["validation"].items())
    lines.append(f"score on {config.validate} validation problems: {scores}")
    lines.append(f"{result['kept']} of {result['proposed']} proposed changes kept in {result['steps']} steps")
    if "conventions" in result:
        lines.append("{stated} of {all} conventions are stated".format(**result["conventions"]))
    return [*lines, _calls(result), f"rules in {Path(config.out) / RULES}"]


def _of_memory(config: LearnConfig, result: dict[str, Any]) -> list[str]:
    lines = [
        f"right: {result['last reply right']:.3f} of {result['problems']} problems, "
        f"{result['first fifth']:.3f} in the first fifth and {result['last fifth']:.3f} in the last"
    ]
    if "conventions" in result:
        lines.append("{stated} of {all} conventions are remembered".format(**result["conventions"]))
        lines.append(
            f"the convention was remembered for {result['hit rate']:.3f} of the problems, and recalled for "
            f"{result['recalled']:.3f}"
        )
    return [*lines, _calls(result), f"{result['items']} items in {Path(config.out) / MEMORY}"]


def _calls(result: dict[str, Any]) -> str:
    calls = ", ".join(f"{counts.get('calls', 0):,} {role}" for role, counts in result["spent"].items())
    return f"calls: {calls}"
