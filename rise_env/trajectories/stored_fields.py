"""Converts records to the JSON objects of a store and back, by tables of fields.

`serialization` holds the tables. A `RecordTable` reads and writes the records of one class with such a table.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields
from types import GenericAlias
from typing import Any, Generic, TypeVar

import msgspec

_UNKNOWN = "(unknown)"
"""The key under which `RecordTable.gather` puts unknown keys. No field may have this name."""

_REQUIRED = object()
"""Stands for the default of a field that has none."""

_Record = TypeVar("_Record")


@dataclass(frozen=True, slots=True)
class StoredField:
    """One field of a JSON object that holds a record."""

    key: str
    """Its name in JSON."""
    type: Any
    """The type of its value in JSON, as msgspec reads it; bytes are base64."""
    attribute: str = ""
    """The attribute of the record, for example "check.verdict"; empty if its name is `key`."""
    write: Callable[[Any], Any] | None = None
    """From the attribute to the value in JSON; None if they are the same."""
    read: Callable[[Any], Any] | None = None
    """From the value of `type` to the attribute; None if they are the same."""
    table: "RecordTable[Any] | None" = None
    """The table of the value, if that is a JSON object of a record, or a list of such objects."""

    @property
    def path(self) -> str:
        """The attribute of the record."""
        return self.attribute or self.key


class RecordTable(Generic[_Record]):
    """Reads and writes the records of one class.

    A field is left out of the JSON object if the record has its default value. Keys of the object that are
    not in the table are in the record's `extra`, and are written again.

    Args:
        record: A dataclass with slots, with a field `extra`.
        stored: The fields of the JSON object, in the order in which they are written. If an attribute of the
            record is a record itself, such as "check", all of its fields are in the table.
        computed: Further fields of the JSON object, which the caller reads and writes: (key, type) or (key,
            type, default).
        given: Attributes of the record that the caller passes to `read`.
    """

    def __init__(
        self,
        record: type[_Record],
        stored: Sequence[StoredField],
        *,
        computed: Sequence[tuple[Any, ...]] = (),
        given: Sequence[str] = (),
    ) -> None:
        row = [(field.key, *_row_type(record, field)) for field in stored]
        unknown = ("unknown", dict[str, Any] | None, msgspec.field(name=_UNKNOWN, default=None))
        self.row: Any = msgspec.defstruct(
            f"{record.__name__}Row",
            [*row, *computed, unknown],
            kw_only=True,
            gc=False,
            forbid_unknown_fields=True,
        )
        """What msgspec reads a JSON object into. Objects with unknown keys need `gather` first."""
        self.rows = GenericAlias(list, (self.row,))
        """The type of a list of rows."""
        self.read: Callable[..., _Record] = _reader(record, stored, given)
        """Returns the record of a row; further arguments are the `given` attributes."""
        self._keys = {field.key for field in stored} | {key for key, *_ in computed} | {_UNKNOWN}
        self._tables = {field.key: field.table for field in stored if field.table is not None}
        self._fill = _writer(record, stored)

    def write(self, record: _Record, computed: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Return the JSON object of a record.

        Args:
            record: The record.
            computed: The values of the computed keys, which are written first.

        Raises:
            ValueError: `extra` has a key that is in the table.
        """
        row = self._fill({} if computed is None else dict(computed), record)
        extra: Mapping[str, Any] | None = record.extra  # type: ignore[attr-defined]
        if extra:
            if known := self._keys & extra.keys():
                raise ValueError(f"extra has {min(known)!r}, which is the name of a field")
            row.update(extra)
        return row

    def gather(self, value: Any) -> Any:
        """Return a JSON value with the unknown keys of its objects under one key, where `row` has them."""
        if not isinstance(value, Mapping):
            return value
        known = {key: part for key, part in value.items() if key in self._keys}
        for key, table in self._tables.items():
            part = known.get(key)
            many = isinstance(part, list | tuple)
            if part is not None:
                known[key] = [table.gather(one) for one in part] if many else table.gather(part)
        if len(known) < len(value):
            known[_UNKNOWN] = {key: part for key, part in value.items() if key not in self._keys}
        return known


def quick_constructor(record: type[_Record]) -> Callable[[Sequence[Any]], _Record]:
    """Return a function of the values of all fields, in order, that makes a record faster than its class."""
    names: dict[str, Any] = {}
    values = {field.name: field.name for field in fields(record)}  # type: ignore[arg-type]
    unpack = f"{', '.join(values)} = values"
    return _compiled(["values"], [unpack, *_construction("made", record, values, names)], names)


def _reader(
    record: type[_Record], stored: Sequence[StoredField], given: Sequence[str]
) -> Callable[..., _Record]:
    """Return a function of (row, *given) that makes a record."""
    names: dict[str, Any] = {}
    own = {**{name: name for name in given}, "extra": "row.unknown"}
    inner: dict[str, dict[str, str]] = {}
    for field in stored:
        value = f"row.{field.key}"
        if field.read is not None:
            names[f"read_{field.key}"] = field.read
            value = f"read_{field.key}({value})"
            default = _default(record, field.path)
            if default is not _REQUIRED:
                names[f"default_{field.key}"] = default
                value = f"default_{field.key} if row.{field.key} is None else {value}"
        name, _, rest = field.path.partition(".")
        if rest:
            inner.setdefault(name, {})[rest] = value
            value = name
        own[name] = value
    lines = []
    for name, values in inner.items():
        lines += _construction(name, _class_of(record, name), values, names)
    return _compiled(["row", *given], [*lines, *_construction("made", record, own, names)], names)


def _writer(record: type, stored: Sequence[StoredField]) -> Callable[[dict[str, Any], Any], dict[str, Any]]:
    """Return a function of (made, record) that adds the fields of a record to the dict `made`."""
    names: dict[str, Any] = {}
    lines = []
    for field in stored:
        value = "value"
        if field.write is not None:
            names[f"write_{field.key}"] = field.write
            value = f"write_{field.key}(value)"
        default = names[f"default_{field.key}"] = _default(record, field.path)
        condition = "" if default is _REQUIRED else f"if value != default_{field.key}: "
        lines.append(f"value = record.{field.path}")
        lines.append(f"{condition}made[{field.key!r}] = {value}")
    return _compiled(["made", "record"], lines, names)


def _construction(variable: str, record: type, values: Mapping[str, str], names: dict[str, Any]) -> list[str]:
    """Return the lines of source that make a record, and add the names that they use to `names`.

    A frozen dataclass sets each field through `object.__setattr__`, which took half the time of reading a
    store. Instead, the source fills an instance of a mutable class with the same slots, and then changes its
    class to the frozen one.
    """
    if values.keys() != {field.name for field in fields(record)}:
        raise TypeError(f"the table of {record.__name__} must have each of its fields, got {sorted(values)}")
    names[f"Frozen_{variable}"] = record
    names[f"Mutable_{variable}"] = type(record.__name__, (), {"__slots__": tuple(values)})
    return [
        f"{variable} = Mutable_{variable}()",
        *(f"{variable}.{name} = {value}" for name, value in values.items()),
        f"{variable}.__class__ = Frozen_{variable}",
    ]


def _compiled(arguments: Iterable[str], lines: Sequence[str], names: dict[str, Any]) -> Callable[..., Any]:
    """Return a function with this source, which returns its variable `made`.

    The source comes from a table of this package, as that of `__init__` comes from the fields of a dataclass.
    Loops over the table take twice as long.
    """
    body = "".join(f"    {line}\n" for line in [*lines, "return made"])
    exec(f"def function({', '.join(arguments)}):\n{body}", names)  # noqa: S102 - no outside text
    function: Callable[..., Any] = names["function"]
    return function


def _row_type(record: type, field: StoredField) -> tuple[Any, ...]:
    """Return the type and the default of a field in a row; a converted field is None where it is missing."""
    default = _default(record, field.path)
    if default is _REQUIRED:
        return (field.type,)
    if field.read is not None:
        return (field.type | None, None)
    return (field.type, default)


def _class_of(record: type, attribute: str) -> type:
    [kind] = [field.type for field in fields(record) if field.name == attribute]
    assert isinstance(kind, type)
    return kind


def _default(record: type, path: str) -> Any:
    """Return the default value of an attribute; `_REQUIRED` if it has none."""
    name, _, rest = path.partition(".")
    if rest:
        return _default(_class_of(record, name), rest)
    [field] = [field for field in fields(record) if field.name == name]
    if field.default_factory is not MISSING:
        return field.default_factory()
    return _REQUIRED if field.default is MISSING else field.default
