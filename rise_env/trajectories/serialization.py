"""Converts trajectories to JSON values and back, without loss, in space linear in the number of turns.

Every observation is the whole conversation so far, so that the size of all observations grows with the square
of the number of turns. Therefore only new messages are written: the observation of turn t is that of turn
t-1, followed by the reply of turn t-1 and the messages in `new`. A sliding window breaks this rule. Then
`keep` is the number of leading messages that the observation shares with the conversation of turn t-1, and
`new` has all further messages. Fields that have their default value are left out.

    {"id": "5f0c...", "problem": {...}, "seed": 7, "terminated": true, "turns": [
        {"new": [{"role": "user", "content": "..."}], "attempts": [
            {"agent": "tiny", "reply": "...", "verdict": "wrong", "answer": "12", "reward": 0.0}]}, ...]}
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import fields, make_dataclass
from typing import Any, Literal, cast

import msgspec

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

_NO_USAGE = Usage()


class _AttemptRow(msgspec.Struct, gc=False):
    agent: str
    reply: str
    verdict: Verdict
    reward: float
    answer: str | None = None
    method: str = ""
    seconds: float = 0.0
    finish: Literal["stop", "length", "error"] = "stop"
    tokens: tuple[int, int, int] = (0, 0, 0)


class _TurnRow(msgspec.Struct, gc=False):
    new: list[dict[str, Any]]
    attempts: list[_AttemptRow]
    keep: int | None = None
    chosen: int = 0


class _Row(msgspec.Struct, gc=False):
    """One line of a store, as it is written."""

    id: str
    problem: Problem
    turns: list[_TurnRow]
    seed: int
    terminated: bool = False
    truncated: bool = False
    error: str | None = None


_decode = msgspec.json.Decoder(_Row).decode


def episode_id(problem: Problem, plan: Any, seed: int) -> str:
    """Return the id of an episode: the same for the same problem, plan and seed, in every run.

    Args:
        problem: Its id, question and reference are hashed, its other fields are not.
        plan: A JSON value with the agent and settings of every turn, and the settings of the environment; it
            is hashed.
        seed: The seed of the run; it is hashed.
    """
    content = [problem.id, problem.question, problem.reference, plan, seed]
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:24]


def to_json(trajectory: Trajectory) -> dict[str, Any]:
    """Return a trajectory as a JSON value, which `from_json` turns back into an equal trajectory."""
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
        ValueError: `value` does not describe a trajectory; the message names the field.
    """
    try:
        return _from_row(msgspec.convert(value, _Row))
    except msgspec.ValidationError as error:
        raise ValueError(str(error)) from error
    except IndexError:
        raise ValueError("the chosen attempt of a turn is missing") from None


def from_line(line: bytes) -> Trajectory:
    """Return the trajectory in a line of JSON, in half the time that `json.loads` and `from_json` take.

    Raises:
        ValueError: It is not JSON, or not a trajectory.
    """
    try:
        return _from_row(_decode(line))
    except (msgspec.DecodeError, UnicodeDecodeError, IndexError):
        return from_json(json.loads(line))  # also reads lone surrogates; its errors name the field


def _from_row(row: _Row) -> Trajectory:
    # A frozen dataclass sets each field through `object.__setattr__`, which took half the time of reading a
    # store. Instead, this fills instances of mutable classes with the same slots, and then changes their
    # class to the frozen one.
    turns = []
    former: tuple[Any, ...] = ()
    for turn_row in row.turns:
        kept = former if turn_row.keep is None else former[: turn_row.keep]
        observation = (*kept, *turn_row.new)
        attempts = []
        for tried in turn_row.attempts:
            check = _Check(tried.verdict, tried.answer, tried.method, tried.seconds)
            check.__class__ = CheckResult
            usage = _Usage(*tried.tokens)
            usage.__class__ = Usage
            attempt = _Attempt(
                tried.agent, tried.reply, check, tried.reward, tried.finish, usage, "", None, None
            )
            attempt.__class__ = Attempt
            attempts.append(attempt)
        turn = _Turn(observation, tuple(attempts), turn_row.chosen)
        turn.__class__ = Turn
        turns.append(turn)
        former = (*observation, {"role": "assistant", "content": attempts[turn_row.chosen].reply})
    made = _Trajectory(row.id, row.problem, tuple(turns), row.seed, row.terminated, row.truncated, row.error)
    made.__class__ = Trajectory
    return cast(Trajectory, made)


def _mutable_copy_of(record: type) -> Any:
    return make_dataclass(record.__name__, [field.name for field in fields(record)], slots=True, eq=False)


_Trajectory, _Turn, _Attempt = _mutable_copy_of(Trajectory), _mutable_copy_of(Turn), _mutable_copy_of(Attempt)
_Check, _Usage = _mutable_copy_of(CheckResult), _mutable_copy_of(Usage)


def _reply(turn: Turn) -> Message:
    return {"role": "assistant", "content": turn.attempts[turn.chosen].reply}


def _shared(former: Sequence[Message], observation: Sequence[Message]) -> int:
    """Return how many leading messages two conversations share."""
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
    if usage != _NO_USAGE:
        row["tokens"] = [usage.prompt_tokens, usage.completion_tokens, usage.cached_tokens]
    return row


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
