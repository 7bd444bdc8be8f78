import hashlib
import json
import re
from typing import Any

import gymnasium
import pytest

import rise_env
from rise_env.checkers import Checker, NumericChecker, SymbolicChecker
from rise_env.envs.initial_prompt import make_initial_prompt
from rise_env.envs.math_env import MathEnv
from rise_env.envs.presets.table import PRESETS
from rise_env.errors import ConfigError
from rise_env.types import Conversation
from tests.rise_env.conftest import SUMS


def start(**settings: Any) -> Conversation:
    return MathEnv(SUMS, NumericChecker(), **settings).reset(options={"index": 3})[0]


def contents(**settings: Any) -> list[tuple[str, str]]:
    return [(message["role"], message["content"]) for message in start(**settings)]


def test_the_question_can_be_posed_alone() -> None:
    assert contents(prompt="plain") == contents(prompt=None) == [("user", "What is 3 + 4?")]


def test_a_prompt_can_be_a_template() -> None:
    text = r"Q: {question} Put it in \boxed{} or \boxed{{}}, {{as is}}."
    assert contents(prompt=text) == [("user", r"Q: What is 3 + 4? Put it in \boxed{} or \boxed{}, {as is}.")]


def test_the_recommended_prompts_are_word_for_word_those_of_their_sources() -> None:
    asked = r"Please reason step by step, and put your final answer within \boxed{}."
    assert contents(prompt="qwen2.5_math") == [("system", asked), ("user", "What is 3 + 4?")]
    assert contents(prompt="deepseek_r1") == [("user", "What is 3 + 4?\n" + asked)]


@pytest.mark.parametrize(
    ("name", "count", "checker"),
    [("gsm8k_8shot", 8, NumericChecker()), ("minerva_4shot", 4, SymbolicChecker())],
)
def test_the_worked_examples_of_a_prompt_are_answered_in_a_form_that_the_checker_reads(
    name: str, count: int, checker: Checker
) -> None:
    examples = PRESETS[name].examples
    assert len(examples) == count
    assert len(start(prompt=name)) == 2 * count + 1
    for question, answer in examples:
        final = re.search(r"(?:answer is) \$?(.+?)\$?\.(?: I hope it is correct\.)?$", answer)
        assert final
        assert checker.check(answer, final[1], question=question).correct


def test_the_number_of_examples_and_the_system_prompt_of_a_prompt_can_be_changed() -> None:
    assert len(start(prompt="gsm8k_8shot", few_shot=4)) == 9
    own = contents(prompt="gsm8k_8shot", few_shot=[("1 + 1?", "2")])
    assert own == [
        ("user", "Question: 1 + 1?"),
        ("assistant", "2"),
        ("user", "Question: What is 3 + 4?"),
    ]
    assert contents(prompt="qwen2.5_math", system_prompt="Be brief.")[0] == ("system", "Be brief.")
    with pytest.raises(ConfigError, match="few_shot is 0 to 8, or a list"):
        start(prompt="gsm8k_8shot", few_shot=9)


def test_the_released_layout_is_a_prompt_of_its_own() -> None:
    assert start(prompt="released_rise") == start(released_rise=True)
    assert len(start(prompt="released_rise", few_shot=2)) == 5


def test_the_info_of_a_reset_names_the_prompt_and_the_hash_of_its_texts() -> None:
    env = MathEnv(SUMS, NumericChecker(), prompt="qwen2.5_math")
    observation, info = env.reset(options={"index": 3})
    texts = json.dumps([[dict(observation[0])], "{question}"]).encode()
    assert info["prompt"] == f"qwen2.5_math sha256:{hashlib.sha256(texts).hexdigest()}"
    labels = {
        make_initial_prompt(**settings).label  # type: ignore[arg-type]
        for settings in (
            {},
            {"few_shot": 1},
            {"system_prompt": "Be brief."},
            {"prompt": "Q: {question}"},
            {"prompt": "{question}"},
            *({"prompt": name} for name in PRESETS if name != "rise"),
        )
    }
    assert len(labels) == 5 + len(PRESETS) - 1


def test_a_made_environment_tells_its_prompt_in_its_spec() -> None:
    text = "Q: {question}"
    feedback = {"default": "Again: {question}"}
    env = gymnasium.make("RISE-Arithmetic-v0", prompt=text, feedback=feedback)
    assert env.spec is not None
    again = gymnasium.make(gymnasium.envs.registration.EnvSpec.from_json(env.spec.to_json()))
    assert again.reset(seed=1) == env.reset(seed=1)
    assert again.step("hm") == env.step("hm")
    assert again.reset(seed=1)[1]["prompt"].startswith("own sha256:")


def test_every_prompt_poses_a_problem_of_every_kind() -> None:
    for name, preset in PRESETS.items():
        env = rise_env.make("RISE-Arithmetic-v0", prompt=name)
        observation, _ = env.reset(seed=1)
        assert preset.source
        assert (
            preset.text.partition("{question}")[0].replace("{{", "{").replace("}}", "}")
            in (observation[-1]["content"])
        )
