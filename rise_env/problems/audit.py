"""Looks for faults in a problem set. Pure functions of its problems."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from rise_env.checkers.base import Checker, CheckItem, check_many
from rise_env.errors import ProblemError
from rise_env.types import CheckResult, Problem

_WORD = re.compile(r"[^\W_]+")
NGRAM = 13
"""Number of consecutive words that count as an overlap, as in the GPT-3 paper (arXiv:2005.14165)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitAudit:
    """The faults of one split. Lists hold problem ids."""

    problems: int
    """Number of problems."""
    golds_rejected: list[str]
    """Problems whose own reference answer the checker rejects as a reply."""
    solutions_rejected: list[str]
    """Problems whose worked solution marks a final answer but is rejected as a reply."""
    empty: list[str]
    """Problems without a question or without a reference answer."""
    duplicates: list[tuple[str, str]]
    """(first, second): the same question with the same answer."""
    contradictions: list[tuple[str, str]]
    """(first, second): the same question with another answer."""
    comma_golds: int
    """Number of reference answers with a thousands comma, which some checkers read wrongly."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlap:
    """Questions that two splits share."""

    first: str
    second: str
    exact: list[tuple[str, str]] = field(default_factory=list)
    """(id in the first, id in the second): the same words."""
    ngrams: list[str] = field(default_factory=list)
    """Problems of the second split that share 13 consecutive words with a problem of the first, but are not
    the same."""


def words(text: str) -> list[str]:
    """Return the words of a text in lower case, without punctuation."""
    return _WORD.findall(text.lower())


def audit_split(problems: Sequence[Problem], checker: Checker) -> SplitAudit:
    """Return the faults of one split.

    Args:
        problems: All problems of the split.
        checker: The checker of the set.
    """
    empty = [p.id for p in problems if not p.question.strip() or not p.reference.strip()]
    first: dict[tuple[str, ...], Problem] = {}
    duplicates: list[tuple[str, str]] = []
    contradictions: list[tuple[str, str]] = []
    for problem in problems:
        # compare words with punctuation, because "2 + 2" and "2 - 2" are two questions
        seen = first.setdefault(tuple(problem.question.lower().split()), problem)
        if seen is not problem:
            same = seen.reference == problem.reference
            (duplicates if same else contradictions).append((seen.id, problem.id))
    return SplitAudit(
        problems=len(problems),
        golds_rejected=rejected(problems, [rf"\boxed{{{p.reference}}}" for p in problems], checker),
        solutions_rejected=rejected_solutions(problems, checker),
        empty=empty,
        duplicates=duplicates,
        contradictions=contradictions,
        comma_golds=sum(bool(re.search(r"\d,\d{3}\b", p.reference)) for p in problems),
    )


def rejected(problems: Sequence[Problem], replies: Sequence[str], checker: Checker) -> list[str]:
    """Return the ids of the problems whose reply the checker rejects, each with the verdict."""
    items = [CheckItem(reply, p.reference, p.question) for p, reply in zip(problems, replies, strict=True)]
    try:
        results: list[CheckResult | None] = [*check_many(checker, items)]
    except ProblemError:  # some reference cannot be read: check one by one to find out which
        results = [_check_one(checker, item) for item in items]
    return [
        f"{p.id} ({result.verdict.value if result else 'reference unreadable'})"
        for p, result in zip(problems, results, strict=True)
        if result is None or not result.correct
    ]


def rejected_solutions(problems: Sequence[Problem], checker: Checker) -> list[str]:
    """Return the problems whose worked solution marks its answer but is rejected as a reply."""
    marked = [p for p in problems if p.solution and ("boxed" in p.solution or "####" in p.solution)]
    return rejected(marked, [p.solution or "" for p in marked], checker)


def _check_one(checker: Checker, item: CheckItem) -> CheckResult | None:
    try:
        return checker.check(item.reply, item.reference, question=item.question)
    except ProblemError:
        return None


def audit_overlap(
    first: Sequence[Problem], second: Sequence[Problem]
) -> tuple[list[tuple[str, str]], list[str]]:
    """Return the fields `exact` and `ngrams` of the `Overlap` of two splits."""
    by_words: dict[tuple[str, ...], str] = {}
    grams: set[int] = set()
    for problem in first:
        tokens = words(problem.question)
        by_words.setdefault(tuple(tokens), problem.id)
        grams.update(ngrams(tokens))
    exact, near = [], []
    for problem in second:
        tokens = words(problem.question)
        same = by_words.get(tuple(tokens))
        if same is not None:
            exact.append((same, problem.id))
        elif not grams.isdisjoint(ngrams(tokens)):
            near.append(problem.id)
    return exact, near


def ngrams(tokens: Sequence[str]) -> Iterable[int]:
    """Return a hash of every `NGRAM` consecutive words."""
    return (hash(tuple(tokens[i : i + NGRAM])) for i in range(len(tokens) - NGRAM + 1))
