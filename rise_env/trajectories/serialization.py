"""Converts trajectories to JSON values and back, without loss, in space linear in the number of turns.

`TRAJECTORY`, `PROBLEM`, `TURN`, `FEEDBACK` and `ATTEMPT` are the tables of all fields. To add a field, add it
to a record in `rise_env.types`, with a default value, and to its table. A field that has its default value is
left out. Fields that are not in the tables, for example of a later version, are in the `extra` of their
record.

Every observation is the whole conversation so far, so that the size of all observations grows with the square
of the number of turns. Therefore only new messages are written: the observation of turn t is that of turn
t-1, followed by the reply of turn t-1 and the messages in `new`. A sliding window breaks this rule. Then
`keep` is the number of leading messages that the observation shares with the conversation of turn t-1, and
`new` has all further messages.

    {"id": "5f0c...", "problem": {...}, "seed": 7, "terminated": true, "turns": [
        {"new": [{"role": "user", "content": "..."}], "attempts": [
            {"agent": "tiny", "reply": "...", "verdict": "wrong", "answer": "12", "reward": 0.0}]}, ...]}
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from operator import attrgetter
from typing import Annotated, Any

import msgspec

from rise_env.trajectories.stored_fields import RecordTable, StoredField, quick_constructor
from rise_env.trajectories.token_bytes import (
    ids_from_bytes,
    ids_to_base64,
    logprobs_from_bytes,
    logprobs_to_base64,
)
from rise_env.types import (
    AgentFeedback,
    Attempt,
    Conversation,
    Finish,
    Message,
    Problem,
    Trajectory,
    Turn,
    Usage,
    Verdict,
)

PROBLEM = RecordTable(
    Problem,
    [
        StoredField("id", str),
        StoredField("question", str),
        StoredField("reference", str),
        StoredField("solution", str | None),
        StoredField("source", str),
        StoredField("split", str),
        StoredField("meta", dict[str, Any], write=dict),
    ],
)


def _counts(usage: Usage) -> list[int]:
    counts = [usage.prompt_tokens, usage.completion_tokens, usage.cached_tokens]
    return [*counts, usage.calls] if usage.calls else counts


_make_usage = quick_constructor(Usage)


def _usage_of(counts: Sequence[int]) -> Usage:
    return _make_usage(counts if len(counts) == 4 else (*counts, 0))


_COUNTS = Annotated[tuple[int, ...], msgspec.Meta(min_length=3, max_length=4)]
"""Tokens of the prompt, generated and from a cache; then the number of calls, if it was not one."""


ATTEMPT = RecordTable(
    Attempt,
    [
        StoredField("agent", str),
        StoredField("reply", str),
        StoredField("verdict", Verdict, "check.verdict", write=attrgetter("value")),
        StoredField("answer", str | None, "check.answer"),
        StoredField("method", str, "check.method"),
        StoredField("seconds", float, "check.seconds"),
        StoredField("reason", str, "check.reason"),
        StoredField("reward", float),
        StoredField("finish", Finish),
        StoredField("tokens", _COUNTS, "usage", write=_counts, read=_usage_of),
        StoredField("reasoning", str),
        StoredField("finish_reason", str),
        StoredField("served_model", str),
        StoredField("system_fingerprint", str),
        StoredField("token_ids", bytes, write=ids_to_base64, read=ids_from_bytes),
        StoredField("logprobs", bytes, write=logprobs_to_base64, read=logprobs_from_bytes),
        StoredField("score", float | None),
        StoredField("messages", list[dict[str, Any]], write=list, read=tuple),
    ],
)

_read_attempt = ATTEMPT.read


def _attempts_to_json(attempts: Sequence[Attempt]) -> list[dict[str, Any]]:
    return [ATTEMPT.write(attempt) for attempt in attempts]


def _read_attempts(rows: Sequence[Any]) -> tuple[Attempt, ...]:
    return tuple([_read_attempt(row) for row in rows])


FEEDBACK = RecordTable(
    AgentFeedback,
    [
        StoredField("agent", str),
        StoredField("text", str),
        StoredField("finish", Finish),
        StoredField("tokens", _COUNTS, "usage", write=_counts, read=_usage_of),
        StoredField("reasoning", str),
        StoredField("told", bool),
    ],
)

TURN = RecordTable(
    Turn,
    [
        StoredField("attempts", ATTEMPT.rows, write=_attempts_to_json, read=_read_attempts, table=ATTEMPT),
        StoredField("chosen", int),
        StoredField("considered", ATTEMPT.rows, write=_attempts_to_json, read=_read_attempts, table=ATTEMPT),
        StoredField("feedback", FEEDBACK.row, write=FEEDBACK.write, read=FEEDBACK.read, table=FEEDBACK),
    ],
    computed=[("keep", int | None, None), ("new", list[dict[str, Any]])],
    given=["observation"],
)

_read_turn = TURN.read


def _turns_to_json(turns: Sequence[Turn]) -> list[dict[str, Any]]:
    rows = []
    former: Conversation = ()
    for turn in turns:
        observation = turn.observation
        keep = _shared(former, observation)
        computed: dict[str, Any] = {} if keep == len(former) else {"keep": keep}
        computed["new"] = list(observation[keep:])
        rows.append(TURN.write(turn, computed))
        former = (*observation, reply_message(turn.action))
    return rows


def _read_turns(rows: Sequence[Any]) -> tuple[Turn, ...]:
    turns = []
    former: Conversation = ()
    for row in rows:
        keep = row.keep
        observation = (*former, *row.new) if keep is None else (*former[:keep], *row.new)
        turn = _read_turn(row, observation)
        turns.append(turn)
        former = (*observation, reply_message(turn.attempts[turn.chosen]))
    return tuple(turns)


TRAJECTORY = RecordTable(
    Trajectory,
    [
        StoredField("id", str),  # the first one: readers find it at the beginning
        StoredField("problem", PROBLEM.row, write=PROBLEM.write, read=PROBLEM.read, table=PROBLEM),
        StoredField("seed", int),
        StoredField("turns", TURN.rows, write=_turns_to_json, read=_read_turns, table=TURN),
        StoredField("terminated", bool),
        StoredField("truncated", bool),
        StoredField("error", str | None),
    ],
)

_decode = msgspec.json.Decoder(TRAJECTORY.row).decode
_read = TRAJECTORY.read


def reply_message(action: Attempt) -> Message:
    """Return the assistant message of an action in later observations."""
    if action.reasoning:
        return {"role": "assistant", "content": action.reply, "reasoning_content": action.reasoning}
    return {"role": "assistant", "content": action.reply}


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
    """Return a trajectory as a JSON value, which `from_json` turns back into an equal trajectory.

    Log-probabilities are rounded to 32-bit floats.

    Raises:
        ValueError: A token id or log-probability is out of range, or `extra` has the name of a field.
    """
    return TRAJECTORY.write(trajectory)


def from_json(value: Mapping[str, Any]) -> Trajectory:
    """Return the trajectory that `to_json` wrote.

    Raises:
        ValueError: `value` does not describe a trajectory; the message names the field.
    """
    try:
        return _read(msgspec.convert(TRAJECTORY.gather(value), TRAJECTORY.row))
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
        return _read(_decode(line))
    except (msgspec.DecodeError, UnicodeDecodeError, IndexError):
        # also reads unknown fields and lone surrogates; its errors name the field
        return from_json(json.loads(line))


def id_of_line(line: bytes) -> str:
    """Return the id of the trajectory in a line of JSON, in an eighth of the time that `from_line` takes.

    Raises:
        ValueError: It is not JSON, or not a trajectory. Only the content of `token_ids` and `logprobs` is not
            looked at.
    """
    try:
        row = _decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return from_line(line).id
    for turn in row.turns:
        if not -len(turn.attempts) <= turn.chosen < len(turn.attempts):
            return from_line(line).id
    identity: str = row.id
    return identity


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
