"""The model formats in the run record of a store: how the model of each agent reads conversations.

The run record has them under `FORMATS`: name of the agent -> its `ModelFormat` as JSON. Agents that do not
know their format, such as those that use a server, are missing, and so are all agents in older stores.
"""

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

import msgspec

from rise_env.types import ModelFormat

FORMATS = "formats"
"""Key of the run record."""


def format_to_json(model_format: ModelFormat) -> dict[str, Any]:
    """Return a format as a JSON value with all its fields: a missing one was unknown when it was written."""
    value = asdict(model_format)
    value["template_options"] = dict(model_format.template_options)
    value["stop_tokens"] = list(model_format.stop_tokens)
    return value


def format_from_json(value: Mapping[str, Any]) -> ModelFormat:
    """Return the format that `format_to_json` wrote; fields of a later version are left out.

    Raises:
        ValueError: It is not a format; the message names the field.
    """
    try:
        return msgspec.convert(value, ModelFormat)
    except msgspec.ValidationError as error:
        raise ValueError(str(error)) from error


def stored_formats(run_record: Mapping[str, Any]) -> dict[str, tuple[ModelFormat, ...]]:
    """Return the formats in the run record of a store: name of the agent -> its formats.

    Only a store that was merged from several runs can have more than one format of an agent. Agents whose
    format is unknown are missing.

    Raises:
        ValueError: A format is damaged; the message names the field.
    """
    found: dict[str, dict[str, ModelFormat]] = {}
    for record in _parts(run_record):
        formats = record.get(FORMATS)
        if not isinstance(formats, Mapping | None):
            raise ValueError(f"{FORMATS} must map agents to formats, got {formats!r}")
        for agent, value in (formats or {}).items():
            model_format = format_from_json(value)
            found.setdefault(agent, {})[repr(model_format)] = model_format
    return {agent: tuple(formats.values()) for agent, formats in found.items()}


def known_in_both(formats: Any, others: Any) -> dict[str, Any]:
    """Return the agents and fields of `formats`, from a run record, that `others` has as well.

    What one of them lacks is unknown there, so that it is no difference.
    """
    if not isinstance(formats, Mapping) or not isinstance(others, Mapping):
        return {}
    both = {}
    for agent in sorted(formats.keys() & others.keys()):
        known, other = formats[agent], others[agent]
        if isinstance(known, Mapping) and isinstance(other, Mapping):
            known = {key: value for key, value in known.items() if key in other}
        both[agent] = known
    return both


def _parts(run_record: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield a run record and those that it was merged from."""
    yield run_record
    merged = run_record.get("merged")
    for part in merged if isinstance(merged, list) else ():
        if isinstance(part, Mapping):
            yield from _parts(part)
