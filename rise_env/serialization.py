"""Trajectories to and from JSON values, without loss, in space linear in the number of turns.

An observation is the whole conversation so far, so written out in full it would grow with the square of
the turns. It is written as what it adds: turn t's observation is turn t-1's, its action, and the messages
in `new`. Where that is not so (a sliding window), `keep` says how many leading messages of the former
conversation it shares with this one, and `new` holds the rest. Fields with their default are left out.

    {"id": "5f0c...", "problem": {...}, "seed": 7, "terminated": true, "turns": [
        {"new": [{"role": "user", "content": "..."}], "attempts": [
            {"agent": "tiny", "reply": "...", "verdict": "wrong", "answer": "12", "reward": 0.0}]}, ...]}
"""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, make_dataclass
from typing import Any, TypeVar, cast

from rise_env.types import (
    Attempt,
    CheckResult,
    Conversation,
    Message,
    Problem,
    Trajectory,
    Turn,
    Usage,
    Verdict,
)

Record = TypeVar("Record")

_VERDICTS = {verdict.value: verdict for verdict in Verdict}
_FREE = Usage()


def episode_id(problem: Problem, plan: Any, seed: int) -> str:
    """Return the id of an episode: the same for the same problem, plan and seed, in every run.

    Args:
        problem: Its id, question and reference count; its other fields do not.
        plan: JSON value: who plays which turn, how, in which environment.
        seed: Of the run.
    """
    content = [problem.id, problem.question, problem.reference, plan, seed]
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:24]


def to_json(trajectory: Trajectory) -> dict[str, Any]:
    """Return a trajectory as a JSON value; `from_json` gives back an equal one."""
    turns = []
    former: Conversation = ()
    for turn in trajectory.turns:
        observation = turn.observation
        keep = _shared(former, observation)
        row: dict[str, Any] = {} if keep == len(former) else {"keep": keep}
        row["new"] = list(observation[keep:])
        row["attempts"] = [_attempt_to_json(attempt) for attempt in turn.attempts]
        if turn.chosen:
            row["chosen"] = turn.chosen
        turns.append(row)
        former = (*observation, _reply(turn))
    value: dict[str, Any] = {"id": trajectory.id, "problem": _problem_to_json(trajectory.problem)}
    value |= {"seed": trajectory.seed, "turns": turns}
    if trajectory.terminated:
        value["terminated"] = True
    if trajectory.truncated:
        value["truncated"] = True
    if trajectory.error is not None:
        value["error"] = trajectory.error
    return value


def from_json(value: Mapping[str, Any]) -> Trajectory:
    """Return the trajectory that `to_json` wrote.

    Raises:
        KeyError, TypeError, ValueError: `value` is not one.
    """
    turns = []
    former: Conversation = ()
    for row in value["turns"]:
        keep = row.get("keep")
        observation = (*(former if keep is None else former[:keep]), *row["new"])
        attempts = tuple([_attempt_from_json(attempt) for attempt in row["attempts"]])
        chosen = row.get("chosen", 0)
        turns.append(_turn(observation, attempts, chosen))
        former = (*observation, {"role": "assistant", "content": attempts[chosen].reply})
    return Trajectory(
        id=value["id"],
        problem=Problem(**value["problem"]),
        turns=tuple(turns),
        seed=value["seed"],
        terminated=value.get("terminated", False),
        truncated=value.get("truncated", False),
        error=value.get("error"),
    )


def _reply(turn: Turn) -> Message:
    return {"role": "assistant", "content": turn.attempts[turn.chosen].reply}


def _shared(former: Sequence[Message], observation: Sequence[Message]) -> int:
    """How many leading messages two conversations share."""
    if tuple(observation[: len(former)]) == former:
        return len(former)
    same = 0
    for old, new in zip(former, observation, strict=False):
        if old != new:
            break
        same += 1
    return same


def _attempt_to_json(attempt: Attempt) -> dict[str, Any]:
    check, usage = attempt.check, attempt.usage
    row: dict[str, Any] = {"agent": attempt.agent, "reply": attempt.reply, "verdict": check.verdict.value}
    if check.answer is not None:
        row["answer"] = check.answer
    if check.method:
        row["method"] = check.method
    if check.seconds:
        row["seconds"] = check.seconds
    row["reward"] = attempt.reward
    if attempt.finish != "stop":
        row["finish"] = attempt.finish
    if usage != _FREE:
        row["tokens"] = [usage.prompt_tokens, usage.completion_tokens, usage.cached_tokens]
    return row


def _attempt_from_json(row: Mapping[str, Any]) -> Attempt:
    get = row.get
    tokens = get("tokens")
    return _attempt(
        row["agent"],
        row["reply"],
        _check(_VERDICTS[row["verdict"]], get("answer"), get("method", ""), get("seconds", 0.0)),
        row["reward"],
        get("finish", "stop"),
        _FREE if tokens is None else _usage(*tokens),
    )


def _maker(record: type[Record]) -> Callable[..., Record]:
    """Return a positional constructor of a frozen record, four times as fast as its own.

    A frozen dataclass sets each field through `object.__setattr__`, two thirds of the time of reading a
    store. This fills an unfrozen twin with the same slots and then gives it the record's class.
    """
    twin = make_dataclass(record.__name__, [field.name for field in fields(record)], slots=True, eq=False)  # type: ignore[arg-type]

    def make(*values: Any) -> Record:
        made: Any = twin(*values)
        made.__class__ = record
        return cast(Record, made)

    return make


_turn, _attempt, _check, _usage = _maker(Turn), _maker(Attempt), _maker(CheckResult), _maker(Usage)


def _problem_to_json(problem: Problem) -> dict[str, Any]:
    row: dict[str, Any] = {
        "id": problem.id,
        "question": problem.question,
        "reference": problem.reference,
    }
    if problem.solution is not None:
        row["solution"] = problem.solution
    if problem.source:
        row["source"] = problem.source
    if problem.split:
        row["split"] = problem.split
    if problem.meta:
        row["meta"] = dict(problem.meta)
    return row
