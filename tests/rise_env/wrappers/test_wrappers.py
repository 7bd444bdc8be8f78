from typing import Any

import gymnasium
import pytest
from gymnasium.spaces import Text

from rise_env.checkers import NumericChecker
from rise_env.envs.math_env import MathEnv
from rise_env.errors import ConfigError
from rise_env.types import Conversation, Message
from rise_env.wrappers import ContextWindow, FewShot, TextObservation, recent_turns
from tests.rise_env.conftest import SUMS


def conversation(*contents: str) -> Conversation:
    roles = ("user", "assistant")
    return tuple(Message(role=roles[i % 2], content=text) for i, text in enumerate(contents))  # type: ignore[typeddict-item]


@pytest.mark.parametrize(
    ("turns", "expected"),
    [(0, "q"), (1, "q a3 f3"), (2, "q a2 f2 a3 f3"), (3, "q a1 f1 a2 f2 a3 f3"), (9, "q a1 f1 a2 f2 a3 f3")],
)
def test_the_window_keeps_the_problem_and_the_last_turns(turns: int, expected: str) -> None:
    whole = conversation("q", "a1", "f1", "a2", "f2", "a3", "f3")
    assert " ".join(message["content"] for message in recent_turns(whole, 1, turns)) == expected


@pytest.mark.parametrize(
    ("context_window", "shown"),
    # the earlier attempts that workflow_eval.py of the released code shows at turns 1 to 5, by its slices
    [(1, [0, 1, 2, 3, 4]), (2, [0, 1, 1, 1, 1]), (3, [0, 1, 2, 2, 2]), (5, [0, 1, 2, 3, 4])],
)
def test_a_context_window_of_the_released_code_is_one_history_turn_less_and_1_is_all(
    context_window: int, shown: list[int]
) -> None:
    window = {} if context_window == 1 else {"history_turns": context_window - 1}
    env = gymnasium.make(
        "RISE-Arithmetic-v0", max_turns=5, stop_when_correct=False, disable_env_checker=True, **window
    )
    observation, _ = env.reset(seed=0)
    attempts = []
    for turn in range(5):
        attempts.append([m["content"] for m in observation if m["role"] == "assistant"])
        observation = env.step(f"attempt {turn}")[0]
    assert [len(found) for found in attempts] == shown
    assert attempts[4] == [f"attempt {turn}" for turn in range(4 - shown[4], 4)]


def test_at_the_end_of_an_episode_the_lone_reply_counts_as_a_turn() -> None:
    whole = conversation("q", "a1", "f1", "a2", "f2", "a3")
    assert [m["content"] for m in recent_turns(whole, 1, 2)] == ["q", "a2", "f2", "a3"]
    assert [m["content"] for m in recent_turns(whole, 1, 0)] == ["q"]


def test_the_window_keeps_examples_and_system_prompt_too() -> None:
    env = ContextWindow(MathEnv(SUMS, NumericChecker(), system_prompt="Be brief.", few_shot=1), 1)
    initial = env.reset(seed=0)[0]
    env.step("first")
    observation = env.step("second")[0]
    assert observation[:4] == initial
    assert observation[4]["content"] == "second"
    assert len(observation) == 6


def test_history_turns_is_an_argument_of_every_id() -> None:
    env = gymnasium.make("RISE-Arithmetic-v0", history_turns=1)
    env.reset(seed=0)
    for _ in range(3):
        observation = env.step("hm")[0]
    assert len(observation) == 3
    remade = gymnasium.make(env.spec)  # type: ignore[arg-type]
    assert "ContextWindow" in str(remade)
    assert str(remade).count("ContextWindow") == 1


@pytest.mark.parametrize("mode", ["NextStep", "SameStep"])
def test_the_window_is_the_same_for_a_batch(mode: str) -> None:
    settings: dict[str, Any] = {"num_envs": 3, "history_turns": 1, "max_turns": 3, "order": "replacement"}
    ours = gymnasium.make_vec("RISE-Arithmetic-v0", autoreset_mode=mode, **settings)
    theirs = gymnasium.make_vec(
        "RISE-Arithmetic-v0", vectorization_mode="sync", vector_kwargs={"autoreset_mode": mode}, **settings
    )
    assert ours.reset(seed=0)[0] == theirs.reset(seed=0)[0]
    for _ in range(8):
        first, second = ours.step(("hm",) * 3), theirs.step(("hm",) * 3)
        assert first[0] == second[0]
        if "final_obs" in second[4]:
            assert first[4]["final_obs"].tolist() == second[4]["final_obs"].tolist()


def test_a_negative_window_is_refused() -> None:
    with pytest.raises(ConfigError, match="history_turns must be at least 0, got -1"):
        gymnasium.make("RISE-Arithmetic-v0", history_turns=-1)


def test_examples_go_between_system_prompt_and_problem() -> None:
    env = FewShot(MathEnv(SUMS, NumericChecker(), system_prompt="Be brief."), [("1 + 1?", r"\boxed{2}")])
    observation = env.reset(options={"index": 0})[0]
    assert [message["role"] for message in observation] == ["system", "user", "assistant", "user"]
    assert observation[2]["content"] == r"\boxed{2}"
    within = MathEnv(SUMS, NumericChecker(), system_prompt="Be brief.", few_shot=[("1 + 1?", r"\boxed{2}")])
    assert within.reset(options={"index": 0})[0] == observation


@pytest.mark.parametrize(
    ("few_shot", "message"),
    [(99, "few_shot is 0 to 4"), ([("a",)], "pairs"), ([("a", 1)], "pairs"), (-1, "few_shot is 0 to 4")],
    ids=str,
)
def test_examples_that_make_no_sense_are_refused(few_shot: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        MathEnv(SUMS, NumericChecker(), few_shot=few_shot)


def test_a_conversation_can_be_one_text() -> None:
    env = TextObservation(MathEnv(SUMS, NumericChecker(), feedback="none"))
    text = env.reset(options={"index": 0})[0]
    assert text.startswith("user: What is 0 + 1?")
    assert text in env.observation_space
    assert text not in Text(1000)
    assert env.step("ünsure 🙂")[0].endswith("assistant: ünsure 🙂\n\nuser: ")


def test_the_writer_of_texts_can_be_anything() -> None:
    env = TextObservation(MathEnv(SUMS, NumericChecker()), write=lambda messages: str(len(list(messages))))
    assert env.reset()[0] == "1"
    assert env.step("hm")[0] == "3"
