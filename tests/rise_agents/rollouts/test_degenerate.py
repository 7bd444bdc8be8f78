import pytest

from rise_agents.rollouts.degenerate import is_degenerate


@pytest.mark.parametrize(
    ("reply", "degenerate"),
    [
        pytest.param("so " * 150, False, id="a word 150 times"),
        pytest.param("so " * 151, True, id="a word 151 times"),
        pytest.param("x " + "so now " * 151, True, id="two words in turn"),
        pytest.param("a" * 300, False, id="300 characters"),
        pytest.param("a" * 301, True, id="301 characters"),
        pytest.param(" ".join(map(str, range(1000))), False, id="long and varied"),
        pytest.param("", False, id="empty"),
    ],
)
def test_repetitive_replies_are_recognised(reply: str, degenerate: bool) -> None:
    assert is_degenerate(reply) is degenerate
