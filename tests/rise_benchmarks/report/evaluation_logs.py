"""Evaluation logs for tests, written by scripted agents: no model, and any number of episodes."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

import rise_env
from rise_agents.backends.scripted_agent import ScriptedAgent
from rise_agents.evaluation.evaluate_agents import folder_name
from rise_agents.evaluation.runner import EvaluationSettings, evaluate
from rise_env.problems.arithmetic.generator import ArithmeticProblems
from rise_env.trajectories.store import TrajectoryStore
from rise_env.types import (
    Attempt,
    CheckResult,
    Conversation,
    Problem,
    Trajectory,
    Turn,
    Usage,
    Verdict,
)

ANSWERS = {p.question: p.reference for p in ArithmeticProblems(split="test")[:6]}


def late(conversation: Conversation) -> str:
    """Right from the third turn on."""
    question = next(q for q in ANSWERS if q in conversation[0]["content"])
    return f"\\boxed{{{ANSWERS[question] if len(conversation) >= 5 else -1}}}"


def play(
    folder: Path,
    label: str,
    order: int,
    seed: int,
    answer: Callable[[Conversation], str] = late,
    *,
    problems: int = 6,
    draws: int = 5,
) -> None:
    evaluate(
        ScriptedAgent(answer),
        lambda settings: rise_env.make("RISE-Arithmetic-v0", split="test", **settings),
        range(problems),
        folder / folder_name(label) / f"seed-{seed}",
        EvaluationSettings(draws=draws),
        seed=seed,
        run_record={
            "label": label, "order": order, "seed": seed, "env": "RISE-Arithmetic-v0",
            "env_settings": {"split": "test"},
        },
    )  # fmt: skip


def write_many(folder: Path, count: int, *, turns: int = 5, words: int = 45) -> None:
    """Write `count` sequential episodes of a model's length, half of one policy, half of another."""
    rng = np.random.default_rng(0)
    vocabulary = [f"{a}{b}{c}" for a in "bdfklmnprst" for b in "aeiou" for c in ("n", "s", "rt", "ll", "")]
    half = count // 2
    for order, label in enumerate(("base", "iteration 1")):
        target = folder / folder_name(label) / "seed-0"
        record = {
            "label": label, "order": order, "seed": 0, "env": "RISE-Arithmetic-v0", "env_settings": {},
            "turns": turns, "num_samples": 1,
        }  # fmt: skip
        problems = [_problem(number, rng.choice(vocabulary, 30)) for number in range(half)]
        for protocol in ("sequential", "parallel"):
            with TrajectoryStore(target / f"{protocol}.jsonl", {**record, "protocol": protocol}) as store:
                length = turns if protocol == "sequential" else 1
                store.append(_episode(problem, length, rng, vocabulary, words) for problem in problems)


def _problem(number: int, words: "np.ndarray[tuple[int], np.dtype[np.str_]]") -> Problem:
    return Problem(id=f"p{number}", question=" ".join(words) + "?", reference="7")


def _episode(
    problem: Problem, turns: int, rng: np.random.Generator, vocabulary: list[str], words: int
) -> Trajectory:
    played: list[Turn] = []
    conversation: Conversation = ({"role": "user", "content": problem.question},)
    for _ in range(turns):
        answer = str(rng.integers(5, 10))
        reply = " ".join(rng.choice(vocabulary, words)) + f" \\boxed{{{answer}}}"
        verdict = Verdict.CORRECT if answer == "7" else Verdict.WRONG
        attempt = Attempt(
            agent="a",
            reply=reply,
            check=CheckResult(verdict, answer),
            reward=0.0,
            usage=Usage(completion_tokens=2 * words),
        )
        played.append(Turn(observation=conversation, attempts=(attempt,)))
        feedback = {"role": "user", "content": f"Please try again. The question was: {problem.question}"}
        conversation = (*conversation, {"role": "assistant", "content": reply}, feedback)  # type: ignore[assignment]
    return Trajectory(id=f"{problem.id}-{turns}", problem=problem, turns=tuple(played), seed=0)
