"""The info dicts of environments, of one episode and of batches."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from rise_env.envs.episode import Episode
from rise_env.types import CheckResult, Conversation, Problem, Verdict

Info = dict[str, Any]

# constants, because Python 3.11 reads an attribute of an enum class slowly
_CORRECT = Verdict.CORRECT
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


def step_info(episode: Episode, check: CheckResult) -> Info:
    """Return the info of `step`: what the checker found in the attempt just made."""
    verdict = check.verdict
    return {
        "problem_id": episode.problem.id,
        "turn": episode.turn,
        "verdict": verdict._value_,
        "correct": verdict is _CORRECT,
        "answer": check.answer,
        "method": check.method,
    }


def batch_reset_infos(count: int, begun: Mapping[int, Info]) -> Info:
    """Return the infos of a batch in which some episodes began.

    All functions for batches return one dict of arrays, in the layout of `gymnasium.vector.VectorEnv`. For
    each key, a boolean array `_key` is true for the episodes that have the key. Numbers and booleans become
    arrays of their type, everything else arrays of objects.

    Args:
        count: Number of episodes.
        begun: The info of `reset`, by position in the batch.
    """
    infos: Info = {}
    _add_begun(infos, count, begun)
    return infos


def batch_step_infos(
    count: int,
    places: list[int],
    episodes: Sequence[Episode],
    checks: Sequence[CheckResult],
    begun: Mapping[int, Info],
    finals: Mapping[int, Conversation],
) -> Info:
    """Return the infos of a step of a batch; see `batch_reset_infos` for their layout.

    Args:
        count: Number of episodes.
        places: The positions in the batch of the episodes that made a step.
        episodes: These episodes.
        checks: The checks of their replies.
        begun: The info of `reset` of the episodes that began in this step.
        finals: The last observations of episodes that ended and were reset in this step.
    """
    if not finals:
        infos = _step_columns(count, places, episodes, checks)
    else:
        numbers = range(len(places))
        going = [k for k in numbers if places[k] not in finals]
        ended = [k for k in numbers if places[k] in finals]
        infos, last = (
            _step_columns(
                count, [places[k] for k in kept], [episodes[k] for k in kept], [checks[k] for k in kept]
            )
            for kept in (going, ended)
        )
        observations = np.full(count, None, dtype=object)
        for i, observation in finals.items():
            observations[i] = observation
        mask = np.zeros(count, dtype=np.bool_)
        mask[list(finals)] = True
        infos |= {"final_obs": observations, "_final_obs": mask}
        infos |= {"final_info": last, "_final_info": mask.copy()}
    _add_begun(infos, count, begun)
    return infos


def scatter(values: Sequence[Any], places: list[int], count: int, dtype: Any) -> npt.NDArray[Any]:
    """Return an array of `count` numbers that has `values` at `places`, and zeros elsewhere."""
    if len(places) == count:
        return np.array(values, dtype)
    result = np.zeros(count, dtype)
    result[places] = values
    return result


def _step_columns(
    count: int, places: list[int], episodes: Sequence[Episode], checks: Sequence[CheckResult]
) -> Info:
    infos: Info = {}
    verdicts = [check.verdict for check in checks]
    columns: dict[str, list[Any]] = {
        "problem_id": [episode.problem.id for episode in episodes],
        "turn": [episode.turn for episode in episodes],
        "verdict": [verdict._value_ for verdict in verdicts],
        "correct": [verdict is _CORRECT for verdict in verdicts],
        "answer": [check.answer for check in checks],
        "method": [check.method for check in checks],
    }
    _add(infos, count, places, columns)
    return infos


def _add_begun(infos: Info, count: int, begun: Mapping[int, Info]) -> None:
    if begun:
        rows = list(begun.values())
        _add(infos, count, list(begun), {key: [row[key] for row in rows] for key in rows[0]})


def _add(infos: Info, count: int, places: list[int], columns: Mapping[str, list[Any]]) -> None:
    """Write columns, one value per place, into the arrays of a batch."""
    if not places:
        return
    mask = np.zeros(count, np.bool_)
    mask[places] = True
    everywhere = len(places) == count
    for key, values in columns.items():
        if key not in infos:
            dtype = type(values[0]) if type(values[0]) in _PLAIN else object
            if everywhere:
                infos[key], infos[f"_{key}"] = np.array(values, dtype), mask.copy()
                continue
            infos[key] = np.full(count, None, dtype) if dtype is object else np.zeros(count, dtype)
            infos[f"_{key}"] = np.zeros(count, np.bool_)
        infos[key][places] = values
        infos[f"_{key}"] |= mask
