"""What the embedded model that reads notes was trained on."""

import re
from collections import Counter
from typing import Any

import pytest

from rise_agents.learning import prompts
from rise_agents.rules.book import Rule, RuleBook
from rise_agents.rules.edits import edited, read_edits
from rise_agents.tiny_notes.corpus import NotesConfig, NotesCorpus, change_of, reflection
from rise_agents.tiny_notes.words import VALUES, WORDS
from rise_env.problems.arithmetic.steps import Draws
from rise_env.problems.conventions.conventions import FAMILIES, SHARED, Convention, is_stated, statement
from rise_env.types import Message

DOCUMENTS = 1500
HIDDEN = {convention.word: convention for convention in (*SHARED, *FAMILIES[:30])}


@pytest.fixture(scope="module")
def documents() -> list[list[Message]]:
    corpus = NotesCorpus(NotesConfig(), seed=0)
    return [corpus.document(index) for index in range(DOCUMENTS)]


def _starting(documents: list[list[Message]], text: str) -> list[list[Message]]:
    return [one for one in documents if one[0]["content"].startswith(text.partition("{")[0])]


def test_what_a_word_means_is_drawn_with_equal_probabilities() -> None:
    """Else the weights could hold the conventions of the environment."""
    corpus, draws = NotesCorpus(NotesConfig()), Draws((2,))
    found = [corpus.convention(draws) for _ in range(8000)]
    by_kind = {kind: Counter(one.value for one in found if one.kind == kind) for kind in VALUES}
    for kind, possible in VALUES.items():
        assert set(by_kind[kind]) == set(possible)
        assert _far_from_uniform(by_kind[kind]) < 3
    hidden = Counter(one.value == HIDDEN[one.word].value for one in found if one.kind == "holds")
    assert hidden[True] / hidden.total() == pytest.approx(1 / len(VALUES["holds"]), rel=0.35)
    assert _far_from_uniform(Counter(one.word for one in found)) < 3
    assert {one.word for one in found} == set(WORDS) == set(HIDDEN)


def _far_from_uniform(counts: Counter[Any]) -> float:
    """Return chi squared over its degrees of freedom, which is about 1 for equal probabilities."""
    expected = counts.total() / len(counts)
    return sum((n - expected) ** 2 / expected for n in counts.values()) / (len(counts) - 1)


def test_an_answer_uses_a_convention_only_where_the_prompt_states_it(documents: list[list[Message]]) -> None:
    told = untold = 0
    for *before, last in documents:
        reply, asked = last["content"], "\n".join(m["content"] for m in before)
        if "\\boxed" not in reply:
            continue
        if unknown := re.match(r"Nothing is known about the (\w+)\.", reply):
            untold += 1
            assert not re.search(rf"\b{unknown[1]} (holds|gets|loses|is in cents|rounds)", asked)
        else:
            told += 1
            assert reply.split(". ")[0].rstrip(".") in asked
    assert told > 3 * untold > 0


def test_reflections_follow_from_the_right_answer_and_state_the_convention() -> None:
    corpus = NotesCorpus(NotesConfig())
    for at in range(300):
        draws = Draws((3, at))
        convention = corpus.convention(draws)
        text = reflection(corpus.story(draws, convention))
        assert is_stated(convention, text)
        assert all(_is_right(step) for step in text.split(". ")[:2])


def _is_right(step: str) -> bool:
    """Return whether a calculation such as 12-5=7 is right; other sentences are."""
    found = re.fullmatch(r"(-?\d+)([-+/])(\d+)=(-?\d+)", step)
    if found is None:
        return True
    one, other, result = int(found[1]), int(found[3]), int(found[4])
    return {"+": one + other == result, "-": one - other == result, "/": other * result == one}[found[2]]


def test_changes_are_those_that_the_product_reads(documents: list[list[Message]]) -> None:
    found = _starting(documents, prompts.GENERALISE)
    kinds = Counter((read_edits(one[-1]["content"]) or [None])[0].__class__.__name__ for one in found)
    assert kinds["Edit"] > kinds["NoneType"] > 0
    assert all(read_edits(one[-1]["content"]) is not None for one in found)


def test_a_change_adds_what_is_new_corrects_what_is_known_and_repeats_nothing_refused() -> None:
    crate, other = Convention("vat", "holds", 7), Convention("vat", "holds", 8)
    book = RuleBook((Rule("Everyone who goes to the inn gets 3 more."), Rule(statement(other))))
    assert change_of(RuleBook(), [crate], []) == "ADD: A vat holds 7."
    change = change_of(book, [crate], [])
    assert change == "EDIT 2: A vat holds 7."
    assert edited(book, read_edits(change) or [], step=1, limit=9).rules[1].text == statement(crate)
    assert change_of(book, [other], []) == "KEEP"
    assert change_of(book, [crate], ["- EDIT 2: A vat holds 7. (score ...)"]) == "KEEP"


def test_all_kinds_of_documents_occur_and_are_a_function_of_seed_and_index(
    documents: list[list[Message]],
) -> None:
    for text in (prompts.REFLECT, prompts.GENERALISE, prompts.COMPRESS):
        assert len(_starting(documents, text)) > 20
    assert NotesCorpus(NotesConfig(), 0).document(5) == documents[5]
    assert NotesCorpus(NotesConfig(), 1).document(5) != documents[5]
