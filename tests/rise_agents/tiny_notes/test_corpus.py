"""What the embedded model that reads notes was trained on."""

import re
from collections import Counter, defaultdict

import pytest

from rise_agents.learning import prompts
from rise_agents.rules.book import Rule, RuleBook
from rise_agents.rules.edits import edited, read_edits
from rise_agents.tiny_notes.corpus import VALUES, NotesConfig, NotesCorpus, change_of, reflection
from rise_agents.tiny_notes.words import HIDDEN, word
from rise_env.problems.arithmetic.steps import Draws
from rise_env.problems.conventions.conventions import Convention, is_stated, statement
from rise_env.types import Message

DOCUMENTS = 1500


@pytest.fixture(scope="module")
def documents() -> list[list[Message]]:
    corpus = NotesCorpus(NotesConfig(), seed=0)
    return [corpus.document(index) for index in range(DOCUMENTS)]


def _starting(documents: list[list[Message]], text: str) -> list[list[Message]]:
    return [one for one in documents if one[0]["content"].startswith(text.partition("{")[0])]


def test_the_corpus_never_uses_a_word_of_the_environment(documents: list[list[Message]]) -> None:
    words = {found for one in documents for m in one for found in re.findall(r"[a-z]+", m["content"])}
    assert not words & (HIDDEN | {f"{hidden}s" for hidden in HIDDEN})
    assert all(word(Draws((1, at)), "bor") not in HIDDEN for at in range(300))


def test_the_numbers_of_conventions_are_drawn_uniformly() -> None:
    corpus, counts = NotesCorpus(NotesConfig()), defaultdict[str, Counter[int]](Counter)
    for at in range(6000):
        found = corpus.convention(Draws((2, at)))
        counts[found.kind][found.value] += 1
    for kind, values in VALUES.items():
        expected = counts[kind].total() / len(values)
        assert set(counts[kind]) == set(values)
        assert sum((n - expected) ** 2 / expected for n in counts[kind].values()) < 3 * len(values)


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
    draws = Draws((0,))
    assert change_of(RuleBook(), [crate], [], draws) == "ADD: A vat holds 7."
    change = change_of(book, [crate], [], draws)
    assert change == "EDIT 2: A vat holds 7."
    assert edited(book, read_edits(change) or [], step=1, limit=9).rules[1].text == statement(crate)
    assert change_of(book, [other], [], draws) == "KEEP"
    assert change_of(book, [crate], ["- EDIT 2: A vat holds 7. (score ...)"], draws) == "KEEP"


def test_all_kinds_of_documents_occur_and_are_a_function_of_seed_and_index(
    documents: list[list[Message]],
) -> None:
    for text in (prompts.REFLECT, prompts.GENERALISE, prompts.COMPRESS):
        assert len(_starting(documents, text)) > 20
    assert NotesCorpus(NotesConfig(), 0).document(5) == documents[5]
    assert NotesCorpus(NotesConfig(), 1).document(5) != documents[5]
