"""The episodes of the report page, compressed: one index of all, and blocks of texts that are read on demand.

All data are JSON, compressed by gzip and encoded in base64, so that no text of a model can be read as HTML.
10,000 episodes of five turns take a few megabytes.
"""

import base64
import gzip
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from rise_benchmarks.report.evaluation_logs import Measured, read_episodes
from rise_env.types import Attempt, Trajectory, Turn, Verdict

PER_BLOCK = 100
"""Episodes per block."""
LETTERS = {
    Verdict.CORRECT: "c",
    Verdict.WRONG: "w",
    Verdict.NO_ANSWER: "n",
    Verdict.UNREADABLE: "u",
    Verdict.TIMEOUT: "t",
    Verdict.WITHHELD: "h",
}


@dataclass(frozen=True, slots=True)
class Packed:
    """The episodes as the page has them: texts in base64 of gzip of JSON."""

    index: str
    blocks: tuple[str, ...]
    episodes: int


def pack(found: Iterable[Measured]) -> Packed:
    """Read all logs and compress their episodes."""
    columns: dict[str, list[Any]] = {
        name: [] for name in ("row", "protocol", "seed", "problem", "verdicts", "error")
    }
    rows: list[str] = []
    protocols: dict[str, int] = {}
    problems: dict[tuple[str, str], int] = {}
    texts: list[list[Any]] = []
    blocks: list[str] = []
    block: list[Any] = []
    for measured in found:
        rows.append(measured.name)
        for protocol, seed, path in measured.files():
            for trajectory in read_episodes(path, measured.checker):
                problem = trajectory.problem
                key = (problem.id, problem.question)
                if key not in problems:
                    problems[key] = len(problems)
                    texts.append([problem.id, problem.question, problem.reference, problem.solution])
                columns["row"].append(len(rows) - 1)
                columns["protocol"].append(protocols.setdefault(protocol, len(protocols)))
                columns["seed"].append(seed)
                columns["problem"].append(problems[key])
                columns["verdicts"].append(_verdicts(trajectory, protocol))
                columns["error"].append(trajectory.error)
                block.append([_turn(turn) for turn in trajectory.turns])
                if len(block) == PER_BLOCK:
                    blocks.append(_pack(block))
                    block = []
    if block:
        blocks.append(_pack(block))
    index = {
        "per_block": PER_BLOCK,
        "rows": rows,
        "protocols": list(protocols),
        "problems": texts,
        **columns,
    }
    return Packed(_pack(index), tuple(blocks), len(columns["row"]))


def _verdicts(trajectory: Trajectory, protocol: str) -> str:
    if protocol == "parallel":
        attempts: Iterable[Attempt] = trajectory.turns[0].attempts if trajectory.turns else ()
    else:
        attempts = (turn.action for turn in trajectory.turns)
    return "".join(LETTERS[attempt.check.verdict] for attempt in attempts)


def _turn(turn: Turn) -> list[Any]:
    said = turn.observation[-1]["content"] if turn.observation else ""
    return [said, [_attempt(attempt) for attempt in turn.attempts], turn.chosen]


def _attempt(attempt: Attempt) -> list[Any]:
    check, usage = attempt.check, attempt.usage
    return [
        attempt.reply,
        LETTERS[check.verdict],
        check.answer,
        usage.completion_tokens,
        usage.prompt_tokens,
        attempt.finish,
        attempt.agent,
        *([json.dumps(attempt.messages, indent=1)] if attempt.messages else []),
    ]


def _pack(value: Any) -> str:
    # json.dumps escapes all but ASCII: a model may write a lone surrogate, which UTF-8 cannot encode
    text = json.dumps(value, separators=(",", ":"))
    return base64.b64encode(gzip.compress(text.encode(), 6, mtime=0)).decode()
