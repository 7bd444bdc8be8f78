"""Whether a model can use rules: its accuracy on RISE-Conventions without rules, and with all true ones.

    python -m rise_benchmarks.learning.ceiling --agent transformers:PATH --limit 12

Where the two do not differ, no method of learning rules or memories can help this model on these problems.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import rise_env
from rise_agents.backends.instructed_agent import InstructedAgent
from rise_agents.deliberation.notes import Place
from rise_agents.registry import load_agent
from rise_agents.rollouts.rollout import rollout
from rise_agents.rollouts.turn_plan import TurnPlan
from rise_agents.rules.book import Rule, RuleBook
from rise_agents.types import Agent, SamplingConfig
from rise_benchmarks.performance.provenance import write_result
from rise_env.problems.conventions.conventions import SHARED, statement

TRUE_RULES = RuleBook(tuple(Rule(statement(convention)) for convention in SHARED))
"""All conventions that the problems without families depend on."""


def measure(agent: Agent, limit: int, *, max_new_tokens: int = 200, place: Place = "user") -> dict[str, Any]:
    """Return the accuracy of greedy replies without and with the rules, with the replies.

    Args:
        agent: The agent. It is not closed.
        limit: Number of test problems.
        max_new_tokens: Maximal length of a reply.
        place: Where the rules are put.
    """
    sampling = SamplingConfig(temperature=0.0, max_new_tokens=max_new_tokens)
    result: dict[str, Any] = {"agent": agent.name, "problems": limit}
    for name, book in (("none", RuleBook()), ("ceiling", TRUE_RULES)):
        envs = [rise_env.make("RISE-Conventions-v0", split="test", max_turns=1) for _ in range(limit)]
        plan = [TurnPlan(InstructedAgent(agent, book, place))]
        episodes = rollout(plan, envs, range(limit), sampling, seed=0)
        attempts = [episode.turns[0].action for episode in episodes if episode.turns]
        result[name] = sum(attempt.check.correct for attempt in attempts) / limit
        result[f"{name}, cut"] = sum(attempt.finish == "length" for attempt in attempts)
        result[f"{name}, replies"] = [attempt.reply for attempt in attempts]
    return result


def main(argv: Sequence[str] | None = None) -> None:
    """Measure, print, and write the result."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--agent", required=True, help="agent to measure")
    parser.add_argument("--limit", type=int, default=12, help="test problems (default: %(default)s)")
    parser.add_argument("--max_new_tokens", type=int, default=200, help="per reply (default: %(default)s)")
    parser.add_argument("--place", choices=("user", "system"), default="user", help="of the rules")
    parser.add_argument("--output", type=Path, help="JSON file to write the result with its replies to")
    given = parser.parse_args(argv)
    agent = load_agent(given.agent)
    try:
        result = measure(agent, given.limit, max_new_tokens=given.max_new_tokens, place=given.place)
    finally:
        agent.close()
    print(json.dumps({name: value for name, value in result.items() if "replies" not in name}, indent=1))
    if given.output:
        write_result(given.output, result)


if __name__ == "__main__":
    main()
