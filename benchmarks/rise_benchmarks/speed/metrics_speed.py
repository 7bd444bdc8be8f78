"""Time to compute every metric, with its interval, of 100,000 episodes of five turns.

    python -m rise_benchmarks.speed.metrics_speed [EPISODES]

For comparison, m1@t5 alone is also computed with plain Python, one episode at a time.
"""

import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from rise_env.metrics import accuracy, diagnostics
from rise_env.metrics.bootstrap import bootstrap
from rise_env.metrics.reply_arrays import by_draw, by_turn
from rise_env.types import Attempt, CheckResult, Problem, Trajectory, Turn, Usage, Verdict

TURNS = 5


def make_trajectories(count: int, *, seed: int = 0) -> list[Trajectory]:
    """Return episodes with random answers: 1 in 12 is right, and wrong answers repeat."""
    rng = np.random.default_rng(seed)
    answers = rng.integers(0, 12, size=(count, TURNS))
    episodes = []
    for number, row in enumerate(answers.tolist()):
        problem = Problem(id=f"p{number}", question="?", reference="0")
        turns = tuple(Turn(observation=(), attempts=(_attempt(value, number),)) for value in row)
        episodes.append(Trajectory(id=str(number), problem=problem, turns=turns, seed=0))
    return episodes


def all_metrics(episodes: Sequence[Trajectory]) -> dict[str, float]:
    """Return every metric of the episodes; their first turns are the samples of mK@t1 and pass@k."""
    turns, draws = by_turn(episodes, TURNS), by_draw(episodes, 1)
    correct = turns.correct.astype(float)
    values: dict[str, Any] = {
        "m1@t1": accuracy.m1_at_t1(turns),
        "m1@t5": accuracy.m1_at_tt(turns, TURNS),
        "p1@t5": accuracy.p1_at_tt(turns, TURNS),
        "m1@t1 of draws": accuracy.mk_at_t1(draws, 1),
        "pass@1": accuracy.pass_at_k(draws, 1),
        "lift": accuracy.lift(accuracy.m1_at_tt(turns, TURNS), accuracy.m1_at_t1(turns)),
    }
    found = {name: bootstrap(value[None]).mean for name, value in values.items()}
    ratios = {
        "distinct": diagnostics.distinct_answers(turns),
        "repeats": diagnostics.repeats(turns),
        "verbatim": diagnostics.verbatim_repeats(turns),
        "format failures": diagnostics.format_failures(turns),
        "length": diagnostics.reply_length(turns),
        "tokens per solved": diagnostics.tokens_per_solved(turns, accuracy.m1_at_tt(turns, TURNS)),
    }
    for name, part in accuracy.transitions(correct).items():
        ratios[name] = (part.sum(axis=1), np.full(len(part), float(TURNS - 1)))
    return found | {name: float(top.sum() / max(of.sum(), 1)) for name, (top, of) in ratios.items()}


def plain_m1_at_t5(episodes: Sequence[Trajectory]) -> float:
    """Return m1@t5 one episode at a time."""
    total = 0.0
    for episode in episodes:
        votes = Counter(turn.action.check.answer for turn in episode.turns if turn.action.check.answer)
        most = max(votes.values(), default=0)
        tied = [answer for answer, count in votes.items() if count == most]
        total += ("0" in tied) / len(tied) if tied else 0.0
    return total / len(episodes)


def main() -> None:
    """Print CPU times in seconds, each the best of three."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    episodes = make_trajectories(count)
    for name, function in (("one pass to arrays", _to_arrays), ("all metrics, with that pass", all_metrics)):
        print(f"{name:<32} {_seconds(function, episodes):6.2f} s")
    print(f"{'m1@t5 alone, plain Python':<32} {_seconds(plain_m1_at_t5, episodes):6.2f} s")
    print(f"{count} episodes of {TURNS} turns")


def _to_arrays(episodes: Sequence[Trajectory]) -> Any:
    return by_turn(episodes, TURNS)


def _attempt(value: int, number: int) -> Attempt:
    verdict = Verdict.CORRECT if value == 0 else Verdict.NO_ANSWER if value == 11 else Verdict.WRONG
    check = CheckResult(verdict, None if value == 11 else str(value))
    usage = Usage(prompt_tokens=100, completion_tokens=40)
    return Attempt(agent="a", reply=f"{number} {value}", check=check, reward=0.0, usage=usage)


def _seconds(function: Callable[[Any], Any], argument: Any, repeats: int = 3) -> float:
    best = float("inf")
    for _ in range(repeats):
        start = time.process_time()
        function(argument)
        best = min(best, time.process_time() - start)
    return best


if __name__ == "__main__":
    main()
