from pathlib import Path

import pytest

from rise_agents.backends.expert_agent import ExpertAgent
from rise_agents.backends.expert_solutions import write_reply
from rise_agents.types import SamplingConfig
from rise_env.errors import DataNotFoundError
from rise_env.problems.loading import SETS, load_problems
from rise_env.registration import get_checker

MARKS = ("<<", ">>", "####", "[asy]", "\0")


@pytest.mark.parametrize(
    ("solution", "reference", "reply"),
    [
        ("2+3=<<2+3=5>>5 eggs\n#### 5", "5", "2+3=5 eggs\nThe final answer is \\boxed{5}."),
        ("One and one.", "2", "One and one. The final answer is \\boxed{2}."),
        ("", "2", "The final answer is \\boxed{2}."),
        ("So \\boxed{\\frac{1}{2}}.", "1/2", "So \\boxed{\\frac{1}{2}}."),
        ("First \\boxed{1}, then \\boxed{2}.", "2", "First 1, then \\boxed{2}."),
        ("A \\boxed{\\{1, 2\\}} b.", "x", "A \\boxed{\\{1, 2\\}} b."),
        ("Open \\boxed{3", "3", "Open {3 The final answer is \\boxed{3}."),
        ("Old \\boxed 3", "3", "Old 3 The final answer is \\boxed{3}."),
        ("See\n[asy]\ndraw(a);\n[/asy]\nso 4.", "4", "See\nso 4.\nThe final answer is \\boxed{4}."),
        ("No answer is known.", None, "No answer is known."),
    ],
)
def test_a_solution_becomes_clean_prose_with_one_box(
    solution: str, reference: str | None, reply: str
) -> None:
    assert write_reply(solution, reference) == reply


@pytest.mark.parametrize("name", [name for name, loader in SETS.items() if loader.spec is not None])
def test_every_reply_of_every_set_has_one_box_and_no_marks(name: str, data_dir: Path) -> None:
    loader = SETS[name]
    assert loader.spec is not None
    found = 0
    for split in loader.spec.files:
        try:
            problems = load_problems(name, split=split, data_dir=data_dir)
        except DataNotFoundError:
            continue
        found += 1
        for problem in problems:
            reply = write_reply(problem.solution or "", problem.reference)
            assert reply.count("\\boxed") == 1, problem.id
            assert not any(mark in reply for mark in MARKS), problem.id
    if not found:
        pytest.skip(f"{name} is not in {data_dir}")


def test_the_experts_replies_to_gsm8k_are_right(data_dir: Path) -> None:
    problems = load_problems("GSM8K", split="train", data_dir=data_dir)[:300]
    agent = ExpertAgent()
    agent.set_problems(problems)
    conversations = [({"role": "user", "content": problem.question},) for problem in problems]
    replies = agent.act(conversations, SamplingConfig())
    checker = get_checker("numeric")
    for problem, reply in zip(problems, replies, strict=True):
        assert checker.check(reply.text, problem.reference).correct
