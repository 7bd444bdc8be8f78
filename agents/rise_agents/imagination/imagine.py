"""Makes new problems with an agent, and writes those that pass all tests into a file.

    for every candidate, in rounds:
        the agent writes a problem like some of the set, or another wording of one
        drop it if it repeats a known question, asks nothing, or has no number
        the agent answers it several times; drop it if its answers agree too little
    keep the problem with the answer of the majority as its reference

Source: AlphaLLM (arXiv:2404.12253) imagines prompts in the manner of MetaMath (arXiv:2309.12284). The share
of answers that must agree is ours: nobody checks these problems.

A candidate depends on its number and the seed alone, and is compared with those that were kept before it. So
neither the size of rounds nor an interruption changes the file.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from rise_agents.imagination.filters import KnownQuestions, is_question, majority
from rise_agents.imagination.questions import Kind, asked, read_question
from rise_agents.rollouts.fault_isolation import FaultIsolator
from rise_agents.types import Agent, SamplingConfig
from rise_env.envs import prompts
from rise_env.errors import StoreError
from rise_env.types import Problem
from rise_env.utils.seeding import derive

MOST_CANDIDATES = 20
"""Candidates per wanted problem after which imagination ends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImagineSettings:
    """How problems are imagined."""

    count: int
    kinds: tuple[Kind, ...] = ("similar",)
    """Candidates take turns among the kinds."""
    examples: int = 3
    """Problems of the set that the agent sees for the kind "similar"."""
    draws: int = 8
    """Answers per candidate."""
    agreement: float = 0.5
    """Least share of these answers that must agree."""
    batch: int = 32
    """Candidates per round."""
    seed: int = 0


@dataclass(slots=True)
class Tally:
    """What became of the candidates of this process."""

    kept: int = 0
    failed: int = 0
    """The agent gave no reply."""
    unusable: int = 0
    """It asks nothing, or has no number."""
    repeats: int = 0
    disagreed: int = 0
    """Too few answers agree."""


@dataclass(slots=True)
class _Candidate:
    number: int
    kind: Kind
    source: Problem | None
    question: str
    answers: list[str] = field(default_factory=list)


def imagine(
    agent: Agent,
    problems: Sequence[Problem],
    known: Sequence[str],
    path: Path,
    settings: ImagineSettings,
    sampling: SamplingConfig,
    on_round: Callable[[int, Tally], None] = lambda kept, tally: None,
) -> Tally:
    """Write imagined problems into a JSON Lines file until it has `count`; an existing file is continued.

    Args:
        agent: Writes the problems and answers them.
        problems: The examples.
        known: Questions that must not be repeated: those of all splits, above all of the test problems.
        path: The file. Each line has question, answer, and the metadata pseudo, agreement, kind and number.
        settings: See `ImagineSettings`.
        sampling: How the agent's replies are sampled.
        on_round: Called after each round with the number of problems in the file.

    Raises:
        AgentError: The agent no longer answers any request.
        StoreError: The file holds something else.
    """
    rows = read_rows(path)
    questions = KnownQuestions([*known, *(row["question"] for row in rows)])
    isolator, tally = FaultIsolator(), Tally()
    start = max((row["number"] for row in rows), default=-1) + 1
    for numbers in _rounds(start, settings):
        if len(rows) >= settings.count:
            break
        found = _written(agent, problems, numbers, settings, sampling, isolator, tally)
        new = [one for one in found if _is_new(one, questions, tally)]
        _answer(agent, new, settings, sampling, isolator)
        kept = [row for one in new if (row := _kept(one, questions, settings, tally)) is not None]
        kept = kept[: settings.count - len(rows)]
        _append(path, kept)
        rows += kept
        tally.kept += len(kept)
        on_round(len(rows), tally)
    return tally


def read_rows(path: Path) -> list[dict[str, Any]]:
    """Return the problems of a file that imagination wrote, without a last line that was cut off by a kill.

    Raises:
        StoreError: The file holds something else.
    """
    if not path.exists():
        return []
    data = path.read_bytes()
    complete = data[: data.rfind(b"\n") + 1]
    try:
        rows: list[dict[str, Any]] = [json.loads(line) for line in complete.splitlines()]
        if not all({"question", "answer", "number"} <= row.keys() for row in rows):
            raise ValueError
    except (ValueError, AttributeError):
        raise StoreError(f"{path} holds no imagined problems; name another file with --out") from None
    if len(complete) < len(data):
        with open(path, "r+b") as file:
            file.truncate(len(complete))
    return rows


def _rounds(start: int, settings: ImagineSettings) -> Iterator[range]:
    """Yield the numbers of the candidates of each round."""
    end = MOST_CANDIDATES * settings.count
    for first in range(start, end, settings.batch):
        yield range(first, min(end, first + settings.batch))


def _written(
    agent: Agent,
    problems: Sequence[Problem],
    numbers: Sequence[int],
    settings: ImagineSettings,
    sampling: SamplingConfig,
    isolator: FaultIsolator,
    tally: Tally,
) -> list[_Candidate]:
    """Let the agent write one problem per number."""
    kinds = [settings.kinds[number % len(settings.kinds)] for number in numbers]
    examples = []
    for number, kind in zip(numbers, kinds, strict=True):
        rng = np.random.default_rng(derive(settings.seed, number))
        count = 1 if kind == "rephrase" else min(settings.examples, len(problems))
        # rejection keeps this cheap for sets with millions of problems
        places: dict[int, None] = {}
        while len(places) < count:
            places[int(rng.integers(len(problems)))] = None
        examples.append([problems[place] for place in places])
    conversations = [asked(k, [p.question for p in of]) for k, of in zip(kinds, examples, strict=True)]
    seeds = [derive(settings.seed, number, 0) for number in numbers]
    replies = isolator.ask(agent, conversations, sampling, seeds)
    tally.failed += sum(reply.finish == "error" for reply in replies)
    return [
        _Candidate(number, kind, of[0] if kind == "rephrase" else None, read_question(reply.text))
        for number, kind, of, reply in zip(numbers, kinds, examples, replies, strict=True)
        if reply.finish != "error"
    ]


def _is_new(candidate: _Candidate, known: KnownQuestions, tally: Tally) -> bool:
    if not is_question(candidate.question):
        tally.unusable += 1
        return False
    if _repeats(candidate, known):
        tally.repeats += 1
        return False
    return True


def _repeats(candidate: _Candidate, known: KnownQuestions) -> bool:
    source = None if candidate.source is None else candidate.source.question
    return known.repeats(candidate.question, except_of=source)


def _answer(
    agent: Agent,
    candidates: Sequence[_Candidate],
    settings: ImagineSettings,
    sampling: SamplingConfig,
    isolator: FaultIsolator,
) -> None:
    """Let the agent answer each candidate `draws` times."""
    wanted = [(one, draw) for one in candidates for draw in range(settings.draws)]
    if not wanted:
        return
    posed = [({"role": "user", "content": prompts.FIRST.format(question=one.question)},) for one, _ in wanted]
    seeds = [derive(settings.seed, one.number, 1 + draw) for one, draw in wanted]
    replies = isolator.ask(agent, posed, sampling, seeds)  # type: ignore[arg-type]
    for (one, _), reply in zip(wanted, replies, strict=True):
        one.answers.append("" if reply.finish == "error" else reply.text)


def _kept(
    candidate: _Candidate, known: KnownQuestions, settings: ImagineSettings, tally: Tally
) -> dict[str, Any] | None:
    """Return the row of a candidate; None if its answers agree too little, or it repeats one of its round."""
    answer, share = majority(candidate.answers)
    if answer is None or share < settings.agreement:
        tally.disagreed += 1
        return None
    if _repeats(candidate, known):
        tally.repeats += 1
        return None
    known.add(candidate.question)
    source = {} if candidate.source is None else {"rephrases": candidate.source.id}
    meta = {"pseudo": True, "agreement": share, "kind": candidate.kind, "number": candidate.number}
    return {"question": candidate.question, "answer": answer, **meta, **source}


def _append(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    with open(path, "ab") as file:
        file.write("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode())
