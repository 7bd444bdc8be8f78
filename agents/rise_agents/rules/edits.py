"""Edits of a book of rules, as a reflector writes them: one per line.

ADD: text        EDIT 2: text        REMOVE 3        KEEP
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from rise_agents.rules.book import Rule, RuleBook


@dataclass(frozen=True, slots=True)
class Edit:
    """One change of a book."""

    kind: Literal["add", "edit", "remove"]
    number: int = 0
    """Number of the rule, from 1, in the book that the reflector saw; 0 for a new rule."""
    text: str = ""
    """The new text of the rule."""


_LINE = re.compile(r"^[\s*\-`>#]*(?:\d+[.)]\s*)?(add|edit|remove|keep)\b[\s*`]*(\d+)?[\s*`]*[:.]?(.*)$", re.I)


def read_edits(reply: str) -> list[Edit] | None:
    """Return the edits in a reply: none for KEEP and an empty reply, None if nothing in it is an edit."""
    edits: list[Edit] = []
    keeps = not reply.strip()
    for line in reply.splitlines():
        found = _LINE.match(line)
        if not found:
            continue
        kind, number, text = found[1].lower(), int(found[2] or 0), " ".join(found[3].strip(" *`").split())
        if kind == "add" and text:
            edits.append(Edit("add", 0, text))
        elif kind == "edit" and number and text:
            edits.append(Edit("edit", number, text))
        elif kind == "remove" and number:
            edits.append(Edit("remove", number))
        elif kind == "keep":
            keeps = True
    return edits if edits or keeps else None


def edited(book: RuleBook, edits: Sequence[Edit], *, step: int, limit: int) -> RuleBook:
    """Return a book after edits.

    All numbers are those of `book`; numbers that it does not have are ignored. Adding a rule that is there
    raises its support by 1. If there are more rules than `limit`, those with the least support go, the oldest
    first among equals.

    Args:
        book: The book.
        edits: The edits.
        step: The step in which the new rules are born.
        limit: Maximal number of rules.
    """
    rules: dict[int, Rule] = dict(enumerate(book.rules, start=1))
    for edit in edits:
        if edit.kind == "remove":
            rules.pop(edit.number, None)
        elif edit.kind == "edit" and edit.number in rules:
            rules[edit.number] = replace(rules[edit.number], text=edit.text)
    kept: list[Rule] = []
    added = [Rule(edit.text, step) for edit in edits if edit.kind == "add"]
    for rule in (*rules.values(), *added):
        same = next((place for place, other in enumerate(kept) if _plain(other) == _plain(rule)), None)
        if same is None:
            kept.append(rule)
        elif rule in added:
            kept[same] = replace(kept[same], support=kept[same].support + 1)
    while len(kept) > limit:
        kept.remove(min(kept, key=lambda rule: (rule.support, rule.born)))
    return RuleBook(tuple(kept))


def as_lines(edits: Sequence[Edit]) -> str:
    """Return edits as a reflector writes them."""
    lines = []
    for edit in edits:
        number = f" {edit.number}" if edit.number else ""
        lines.append(f"{edit.kind.upper()}{number}" + (f": {edit.text}" if edit.text else ""))
    return "\n".join(lines) or "KEEP"


def _plain(rule: Rule) -> str:
    return " ".join(re.findall(r"\w+", rule.text.lower()))
