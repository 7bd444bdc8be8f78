from collections import Counter
from pathlib import Path

from rise_env.problems.audit import audit_overlap
from rise_env.problems.loading import load_problems
from rise_env.problems.reading.content_split import content_groups, content_split, phrases

PARTS = {"train": 0.5, "test": 0.5}


def test_copies_with_other_names_and_numbers_are_in_one_split() -> None:
    stories = [
        "{} has {} marbles in a jar. How many are left after {} are lost?",
        "There are {1} rows of trees with {2} trees in each row. How many trees did {0} plant?",
        "A train with {1} cars carries {2} people per car. How many people does the train carry?",
    ]
    fillings = [("Ann", "3", "two"), ("Bob", "twelve", "1,000"), ("Eve", "7", "5.5")]
    questions = [story.format(*filling) for filling in fillings for story in stories]
    assert content_groups(questions) == [0, 1, 2] * 3
    assert content_split(questions, PARTS) == content_split(questions[:3], PARTS) * 3


def test_a_chain_of_near_duplicates_is_one_group() -> None:
    words = "a b c d e f g h i j k l m n".split()
    chain = [" ".join(words[i : i + 10]) for i in (0, 2, 4)]
    assert content_groups(chain) == [0, 0, 0]
    assert content_groups(chain[::2]) == [0, 1]  # the first and the last share too little


def test_splits_are_about_as_large_as_asked() -> None:
    questions = [
        f"word{n}x other{n}y third{n}z".replace(str(n), chr(97 + n % 26) * (n // 26 + 1)) for n in range(900)
    ]
    counts = Counter(content_split(questions, {"train": 0.6, "validation": 0.1, "test": 0.3}))
    assert 480 < counts["train"] < 600
    assert 50 < counts["validation"] < 130
    assert 220 < counts["test"] < 320


def test_a_question_shorter_than_a_phrase_has_one() -> None:
    assert len(phrases("How many?")) == 1
    assert len(phrases("")) == 1


def test_the_parts_of_asdiv_share_no_near_duplicates_and_make_up_the_whole(data_dir: Path) -> None:
    whole = load_problems("ASDiv", data_dir=data_dir)
    parts = {
        name: load_problems("ASDiv", split=name, data_dir=data_dir)
        for name in ("train_part", "validation_part", "test_part")
    }
    ids = [problem.id for part in parts.values() for problem in part]
    assert sorted(ids) == sorted(problem.id for problem in whole)
    assert all(problem.split == name for name, part in parts.items() for problem in part)
    exact, shared = audit_overlap(parts["train_part"], parts["test_part"])
    assert not exact
    assert len(shared) < 5  # longer questions may share 13 words and differ in the rest
    train = [phrases(problem.question) for problem in parts["train_part"]]
    for problem in parts["test_part"]:
        own = phrases(problem.question)
        assert all(len(own & other) < 0.4 * len(own | other) for other in train)


def test_the_first_problems_of_a_part_are_a_sample_of_it(data_dir: Path) -> None:
    part = load_problems("ASDiv", split="train_part", data_dir=data_dir)
    numbers = [int(problem.id.rpartition("/")[2]) for problem in part]
    assert numbers != sorted(numbers)
    assert 900 < sum(numbers[:200]) / 200 < 1300  # the file is sorted; the middle is 1107
