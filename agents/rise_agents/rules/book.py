"""A book of rules: short texts that hold for all problems of a set, and the file that holds them.

The file is JSON that a person can read and edit:

    {"kind": "rules", "schema": 1, "rules": [{"text": "A crate holds 7.", "born": 1, "support": 2}], ...}

A rule may also be written as a text alone.
"""

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rise_env.errors import ConfigError, DataNotFoundError

SCHEMA = 1
"""Version of the file format."""

HEADING = "Rules that hold for problems of this kind:"
"""The line before the rules in a prompt."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule."""

    text: str
    born: int = 0
    """The step of `rise learn` in which it was added; 0 if a person wrote it."""
    support: int = 1
    """How often it was proposed in accepted steps."""


@dataclass(frozen=True, slots=True)
class RuleBook:
    """Rules in the order in which a prompt shows them."""

    rules: tuple[Rule, ...] = ()


def numbered(book: RuleBook) -> str:
    """Return the rules as numbered lines; empty for an empty book."""
    return "\n".join(f"{number}. {rule.text}" for number, rule in enumerate(book.rules, start=1))


def as_text(book: RuleBook) -> str:
    """Return the text that precedes a problem; empty for an empty book."""
    return f"{HEADING}\n{numbered(book)}" if book.rules else ""


def digest(book: RuleBook) -> str:
    """Return a hash of the texts of the rules, in order."""
    return hashlib.sha256(numbered(book).encode("utf-8", "surrogatepass")).hexdigest()[:16]


def to_json(book: RuleBook) -> list[dict[str, Any]]:
    """Return the rules as JSON values."""
    return [asdict(rule) for rule in book.rules]


def from_json(rules: Any) -> RuleBook:
    """Return the book of JSON values.

    Raises:
        ValueError: They are not those of a book.
    """
    if not isinstance(rules, list):
        raise ValueError("its rules are not a list")
    found = []
    for entry in rules:
        values = {"text": entry} if isinstance(entry, str) else entry
        if not isinstance(values, dict) or not isinstance(values.get("text"), str):
            raise ValueError(f"{entry!r:.80} is not a rule")
        if not values["text"].strip():
            continue
        known = {name: values[name] for name in Rule.__dataclass_fields__ if name in values}
        found.append(Rule(**{**known, "text": " ".join(values["text"].split())}))
    return RuleBook(tuple(found))


def read_book(path: str | Path) -> RuleBook:
    """Read a file of rules.

    Raises:
        DataNotFoundError: There is no such file.
        ConfigError: It is not a file of rules.
    """
    return read_learned_book(path)[0]


def read_learned_book(path: str | Path) -> tuple[RuleBook, str | None]:
    """Read a file of rules, and the environment from which they were learned; None if a person wrote them.

    Raises:
        DataNotFoundError, ConfigError: See `read_book`.
    """
    if not Path(path).is_file():
        raise DataNotFoundError(
            f"there is no file of rules {str(path)!r}: rise learn --method rules makes one"
        )
    try:
        value = json.loads(Path(path).read_text(encoding="utf-8"))
        if not isinstance(value, dict) or "rules" not in value or value.get("schema", SCHEMA) != SCHEMA:
            raise ValueError('it must be {"rules": ["...", ...]}')
        made_from = value.get("made_from")
        env = made_from.get("env") if isinstance(made_from, dict) else None
        return from_json(value["rules"]), env if isinstance(env, str) else None
    except ValueError as error:
        raise ConfigError(f"{path} is not a file of rules: {error}") from error


def write_book(path: Path, book: RuleBook, made_from: Mapping[str, Any]) -> None:
    """Replace a file of rules in one step, so that readers see the old or the new one.

    Args:
        path: The file.
        book: The rules.
        made_from: What the rules were learned from, as JSON values.
    """
    head = {"kind": "rules", "schema": SCHEMA, "rules": to_json(book), "digest": digest(book)}
    partial = path.with_suffix(".new")
    with open(partial, "w", encoding="utf-8") as file:
        file.write(json.dumps({**head, "made_from": made_from}, indent=1) + "\n")
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)
