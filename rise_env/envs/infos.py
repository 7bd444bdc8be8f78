"""The info dicts of environments, of one episode and of batches."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from rise_env.envs.episode import Episode
from rise_env.types import CheckResult, Conversation, Problem, Verdict

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


def step_info(episode: Episode, check: CheckResult) -> Info:
    """Return the info of `step`: what the checker found in the attempt just made."""
    verdict = check.verdict
    return {
        "problem_id": episode.problem.id,
        "turn": episode.turn,
        "verdict": verdict._value_,
        "correct": verdict is Verdict.CORRECT,
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
    steps: Mapping[int, tuple[Episode, CheckResult]],
    begun: Mapping[int, Info],
    finals: Mapping[int, Conversation],
) -> Info:
    """Return the infos of a step of a batch; see `batch_reset_infos` for their layout.

    Args:
        count: Number of episodes.
        steps: The episodes that made a step, and the checks of their replies, by position in the batch.
        begun: The info of `reset` of the episodes that began in this step.
        finals: The last observations of episodes that ended and were reset in this step.
    """
    if not finals:
        infos = _step_columns(count, list(steps), list(steps.values()))
    else:
        going = [i for i in steps if i not in finals]
        infos = _step_columns(count, going, [steps[i] for i in going])
        last = np.full(count, None, dtype=object)
        for i, observation in finals.items():
            last[i] = observation
        mask = np.zeros(count, dtype=np.bool_)
        mask[list(finals)] = True
        ended = _step_columns(count, list(finals), [steps[i] for i in finals])
        infos |= {"final_obs": last, "_final_obs": mask, "final_info": ended, "_final_info": mask.copy()}
    _add_begun(infos, count, begun)
    return infos


def _step_columns(count: int, places: list[int], steps: Sequence[tuple[Episode, CheckResult]]) -> Info:
    infos: Info = {}
    checks = [check for _, check in steps]
    verdicts = [check.verdict for check in checks]
    columns: dict[str, list[Any]] = {
        "problem_id": [episode.problem.id for episode, _ in steps],
        "turn": [episode.turn for episode, _ in steps],
        "verdict": [verdict._value_ for verdict in verdicts],
        "correct": [verdict is Verdict.CORRECT for verdict in verdicts],
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
    everywhere = len(places) == count
    for key, values in columns.items():
        if key not in infos:
            dtype = type(values[0]) if type(values[0]) in _PLAIN else object
            if everywhere:
                infos[key], infos[f"_{key}"] = np.array(values, dtype), np.ones(count, np.bool_)
                continue
            infos[key] = np.full(count, None, dtype) if dtype is object else np.zeros(count, dtype)
            infos[f"_{key}"] = np.zeros(count, np.bool_)
        infos[key][places] = values
        infos[f"_{key}"][places] = True
