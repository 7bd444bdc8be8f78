"""What is recalled to a problem."""

from rise_agents.memory.items import Memory, remember
from rise_agents.memory.settings import MemorySettings
from rise_agents.memory.similarity import Recall, similarity
from rise_env.problems.conventions.generator import ConventionProblems


def test_a_problem_recalls_its_family_among_many_with_equal_sentences() -> None:
    problems, memory = ConventionProblems(families=40, size=400), Memory(MemorySettings(policy="all"))
    words = [convention.word for convention in problems.conventions]
    first = {problem.meta["convention"]: problem for problem in reversed(problems)}
    for word in words:
        memory = remember(memory, word, first[word].question)
    recall = Recall(memory, most=3)
    asked = [problem for problem in problems[:100] if problem is not first[problem.meta["convention"]]]
    found = [
        problem.meta["convention"] in [one.text for one in recall.of(problem.question)] for problem in asked
    ]
    assert sum(found) > 0.95 * len(found) > 50


def test_the_only_text_of_a_memory_is_recalled_to_a_problem_like_it() -> None:
    memory = remember(Memory(), "note", "Ava has 5 crates of pens.")
    assert [item.text for item in Recall(memory).of("Ben has 7 crates of pens.")] == ["note"]
    assert not Recall(memory).of("Where is the river?")
    assert similarity("Ava has 5 crates.", "Ben has 7 crates.") > 0.99
