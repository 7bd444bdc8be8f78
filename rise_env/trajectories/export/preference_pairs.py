"""Pairs of a better and a worse reply to the same observation, in a table on the disk.

Replies to an observation may be in episodes far apart in a store. They are gathered in a temporary SQLite
file, so that the memory does not grow with the store.
"""

import hashlib
import json
import sqlite3
import tempfile
from collections.abc import Iterable, Iterator
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

from rise_env.trajectories.serialization import reply_message
from rise_env.types import NO_REPLY, Trajectory

_TABLES = """
PRAGMA journal_mode = OFF;
PRAGMA synchronous = OFF;
PRAGMA cache_size = -32768;
CREATE TABLE states (number INTEGER PRIMARY KEY, digest BLOB UNIQUE, problem TEXT, turn INTEGER, prompt TEXT);
CREATE TABLE replies (
    state INTEGER, digest BLOB, reward REAL, message TEXT, number INTEGER PRIMARY KEY, UNIQUE (state, digest)
);
"""
_PAIRED = """
SELECT replies.state, replies.reward, replies.message, states.prompt, states.turn, states.problem
FROM replies JOIN states ON states.number = replies.state
WHERE replies.state IN (SELECT state FROM replies GROUP BY state HAVING MIN(reward) < MAX(reward))
ORDER BY replies.state, replies.number
"""


def pairs(trajectories: Iterable[Trajectory]) -> Iterator[dict[str, Any]]:
    """Yield the rows of `formats.preference`; all trajectories are read before the first one."""
    with tempfile.TemporaryDirectory(prefix="rise-pairs-") as folder:
        table = sqlite3.connect(Path(folder) / "replies.sqlite", isolation_level=None)
        try:
            table.executescript(_TABLES)
            table.execute("BEGIN")
            for trajectory in trajectories:
                _add(table, trajectory)
            for _, replies in groupby(table.execute(_PAIRED), key=itemgetter(0)):
                yield from _rows(list(replies))
        finally:
            table.close()


def _add(table: sqlite3.Connection, trajectory: Trajectory) -> None:
    problem = trajectory.problem.id
    for number, turn in enumerate(trajectory.turns):
        prompt = json.dumps(turn.observation)
        digest = _digest(json.dumps(problem) + prompt)
        table.execute(
            "INSERT OR IGNORE INTO states (digest, problem, turn, prompt) VALUES (?, ?, ?, ?)",
            (digest, json.dumps(problem), number, prompt),
        )
        [[state]] = table.execute("SELECT number FROM states WHERE digest = ?", (digest,))
        for attempt in turn.attempts:
            if attempt.finish not in NO_REPLY:
                message = json.dumps(reply_message(attempt))
                table.execute(
                    "INSERT OR IGNORE INTO replies (state, digest, reward, message) VALUES (?, ?, ?, ?)",
                    (state, _digest(json.dumps(attempt.reply)), attempt.reward, message),
                )


def _rows(replies: list[tuple[int, float, str, str, int, str]]) -> Iterator[dict[str, Any]]:
    """Yield the rows of one observation: a row per reply that is worse than the best ones."""
    highest = max(reward for _, reward, *_ in replies)
    best = [message for _, reward, message, *_ in replies if reward == highest]
    worse = [reply for reply in replies if reply[1] < highest]
    for place, (_, reward, message, prompt, turn, problem) in enumerate(worse):
        yield {
            "prompt": json.loads(prompt),
            "chosen": [json.loads(best[place % len(best)])],
            "rejected": [json.loads(message)],
            "score_chosen": highest,
            "score_rejected": reward,
            "turn": turn,
            "problem_id": json.loads(problem),
        }


def _digest(text: str) -> bytes:
    return hashlib.blake2b(text.encode(), digest_size=16).digest()
