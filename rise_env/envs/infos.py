"""The info dicts of environments, of one episode and of batches."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from rise_env.envs.episode import Episode
from rise_env.types import CheckResult, Conversation, Problem

Info = dict[str, Any]

_PLAIN = (int, float, bool)


def reset_info(problem: Problem, index: int, prompt: str) -> Info:
    """Return the info of `reset`: which problem it poses, and how.

    Args:
        problem: The problem.
        index: Its position among the problems.
        prompt: The label of the initial prompt.
    """
    return {
        "problem_id": problem.id,
        "index": index,
        "turn": 0,
        "source": problem.source,
        "split": problem.split,
        "prompt": prompt,
    }


class CheckInfo(Info):
    """An info dict with a further key "check", which is not among its items.

    `info["check"]` is a `CheckResult`; of a batch, an array of them. The items of one episode are JSON
    values, so that `json.dumps(info)` works. A plain dict made from this one has the items only.
    """

    __slots__ = ("_check",)

    def __init__(self, items: Mapping[str, Any], check: Any) -> None:
        super().__init__(items)
        self._check = check

    def __missing__(self, key: str) -> Any:
        if key == "check":
            return self._check
        raise KeyError(key)

    def get(self, key: str, default: Any = None) -> Any:
        """Return the value of a key, "check" included."""
        return self._check if key == "check" else super().get(key, default)

    def copy(self) -> "CheckInfo":
        """Return a shallow copy."""
        return CheckInfo(self, self._check)

    __copy__ = copy


def step_info(episode: Episode, check: CheckResult) -> Info:
    """Return the info of `step`: what the checker found in the attempt just made."""
    return CheckInfo(
        {
            "problem_id": episode.problem.id,
            "turn": episode.turn,
            "verdict": check.verdict.value,
            "correct": check.correct,
            "answer": check.answer,
        },
        check,
    )


def batch_infos(
    rows: Sequence[Info | None], finals: Mapping[int, tuple[Conversation, Info]] | None = None
) -> Info:
    """Return one dict of arrays from one dict per episode, in the layout of `gymnasium.vector.VectorEnv`.

    Each key comes with a boolean array `_key`: which episodes have the key. Numbers and booleans become
    arrays of their type, everything else arrays of objects.

    Args:
        rows: One dict per episode; None for an episode without infos.
        finals: For episodes that ended and began anew in the same step, by their position in the batch:
            the last observation and info.
    """
    infos: Info = {}
    if finals:
        last = np.full(len(rows), None, dtype=object)
        ended: list[Info | None] = [None] * len(rows)
        for i, (observation, info) in finals.items():
            last[i] = observation
            ended[i] = info
        mask = np.array([row is not None for row in ended])
        infos |= {"final_obs": last, "_final_obs": mask, "final_info": batch_infos(ended)}
        infos["_final_info"] = mask.copy()
    places: dict[str, list[int]] = {}
    for i, row in enumerate(rows):
        for key in row or ():
            places.setdefault(key, []).append(i)
    for key, indices in places.items():
        values = [rows[i][key] for i in indices]  # type: ignore[index]
        kind = type(values[0])
        array = np.zeros(len(rows), kind) if kind in _PLAIN else np.full(len(rows), None, dtype=object)
        present = np.zeros(len(rows), dtype=np.bool_)
        chosen = slice(None) if len(indices) == len(rows) else indices
        array[chosen] = values
        present[chosen] = True
        infos[key], infos[f"_{key}"] = array, present
    checks = [row.get("check") if row else None for row in rows]
    if not any(checks):
        return infos
    return CheckInfo(infos, _objects(checks))


def _objects(values: Sequence[Any]) -> npt.NDArray[np.object_]:
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array
