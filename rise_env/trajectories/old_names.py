"""The names that settings had before they were renamed, so that older stores and run folders can be read.

A store keeps its settings in its run record (see `store`), and `rise run` keeps them in RUN/config.yaml.
These files are not rewritten: old names are replaced when a file is read. All other names stay as they are.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rise_env.trajectories.serialization import episode_id
from rise_env.types import Problem

_Path = tuple[str, ...]

_NUM_SAMPLES = {"samples": "num_samples"}
_EPISODES = {"chunk": "max_concurrent_episodes"}
_COLLECT = {
    "last_agent": "teacher",
    "last_agent_settings": "teacher_settings",
    "last_samples": "num_samples",
    **_EPISODES,
}
_ENV = {"original": "released_rise"}
_AGENT = {
    "journal": "reply_log",
    "max_batch": "max_concurrent_requests",
    "concurrency": "max_concurrent_requests",
}
_AGENT_KINDS = {"cassette": "replay"}
_CHECKERS = {"original_gsm8k": "released_rise_gsm8k", "original_math": "released_rise_math"}
_FEEDBACK = {"original": "released_rise"}


@dataclass(frozen=True, slots=True)
class _OldNames:
    """The renamed keys and values of one kind of record."""

    keys: Mapping[_Path, Mapping[str, str]]
    """Path of a section (empty for the record itself) -> old key -> new key."""
    values: Mapping[_Path, Mapping[str, str]]
    """Path of a key (with new names) -> old value -> new value. Of a value with a colon, only the part before
    the colon is compared and replaced."""


RUN_RECORD = _OldNames(
    keys={
        (): _NUM_SAMPLES,
        ("settings",): _COLLECT,
        ("settings", "env_settings"): _ENV,
        ("env_settings",): _ENV,
    },
    values={
        ("rechecked",): _CHECKERS,
        ("settings", "env_settings", "checker"): _CHECKERS,
        ("settings", "env_settings", "feedback"): _FEEDBACK,
        ("env_settings", "checker"): _CHECKERS,
        ("env_settings", "feedback"): _FEEDBACK,
    },
)
"""What was renamed in the run record of a store."""

RUN_SETTINGS = _OldNames(
    keys={
        (): _EPISODES,
        ("improve",): _NUM_SAMPLES,
        ("measure",): _NUM_SAMPLES,
        ("problems", "settings"): _ENV,
        ("agent", "settings"): _AGENT,
        ("boost", "settings"): _AGENT,
        ("improve", "teacher_settings"): _AGENT,
    },
    values={
        ("problems", "settings", "checker"): _CHECKERS,
        ("problems", "settings", "feedback"): _FEEDBACK,
        ("boost", "teacher"): _AGENT_KINDS,
        ("improve", "teacher"): _AGENT_KINDS,
    },
)
"""What was renamed in the config.yaml of a run folder."""

_PLAN_BEFORE = _OldNames(
    keys={("env_settings",): {new: old for old, new in _ENV.items()}},
    values={
        ("env_settings", "checker"): {new: old for old, new in _CHECKERS.items()},
        ("env_settings", "feedback"): {new: old for old, new in _FEEDBACK.items()},
    },
)
"""New -> old names, in the plan that an episode's id is computed from."""


def rename_record(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return the run record of a store with the new names.

    Args:
        record: The first line of the store.
    """
    renamed = _rename(record, RUN_RECORD)
    if isinstance(merged := renamed.get("merged"), list):
        renamed["merged"] = [rename_record(part) if isinstance(part, Mapping) else part for part in merged]
    return renamed


def rename_run_settings(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of `rise run` with the new names.

    Args:
        settings: The content of the config.yaml of a run folder; sections may be missing.
    """
    return _rename(settings, RUN_SETTINGS)


def episode_ids(problem: Problem, plan: Mapping[str, Any], seed: int) -> frozenset[str]:
    """Return the ids under which a store may hold an episode.

    An id is a hash that includes the environment's settings (see `serialization.episode_id`). Where one of
    these was renamed, an older store holds the episode under another id than a new store does.

    Args:
        problem: The problem of the episode.
        plan: A JSON value with the agent and settings of every turn, and the settings of the environment,
            under their new names.
        seed: The seed of the run.
    """
    ids = {episode_id(problem, plan, seed)}
    before = _rename(plan, _PLAN_BEFORE)
    if before != plan:
        ids.add(episode_id(problem, before, seed))
    return frozenset(ids)


def _rename(settings: Mapping[str, Any], names: _OldNames, path: _Path = ()) -> dict[str, Any]:
    """Return `settings`, the section of a record at `path`, with the new names."""
    keys = names.keys.get(path, {})
    renamed = {}
    for key, value in settings.items():
        new_key = keys.get(key, key)
        if new_key != key and new_key in settings:
            new_key = key  # the section has both names, so this one is not an old name
        here = (*path, new_key)
        if isinstance(value, Mapping):
            value = _rename(value, names, here)
        elif isinstance(value, str) and here in names.values:
            head, colon, rest = value.partition(":")
            value = names.values[here].get(head, head) + colon + rest
        renamed[new_key] = value
    return renamed
