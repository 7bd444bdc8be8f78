"""The arguments of `MathEnv` and `MathVectorEnv` are written down twice, and must not drift apart."""

import re
from dataclasses import fields
from inspect import Parameter, getdoc, signature
from typing import Any

import gymnasium
import pytest

from rise_env.checkers import NumericChecker
from rise_env.envs.feedback import FEEDBACK
from rise_env.envs.math_env import MathEnv, math_env_of
from rise_env.envs.presets.table import PRESETS
from rise_env.envs.rewards import SCHEMES
from rise_env.envs.rules import Rules
from rise_env.envs.vector_env import MathVectorEnv
from rise_env.errors import ConfigError
from rise_env.wrappers import ContextWindow, TextObservation
from tests.rise_env.conftest import SUMS


def arguments(env: type) -> dict[str, Parameter]:
    return dict(signature(env).parameters)


def documented(env: type) -> list[str]:
    """The names that the docstring's Args section describes."""
    doc = getdoc(env) or ""
    section = re.search(r"^Args:\n(.*?)^\S", doc, re.DOTALL | re.MULTILINE)
    assert section
    entries = re.findall(r"^    (\w[\w, \n]*?): ", section.group(1), re.MULTILINE)
    return [name for entry in entries for name in re.split(r",\s+", entry)]


def test_one_environment_and_a_batch_take_the_same_arguments() -> None:
    single, batch = arguments(MathEnv), arguments(MathVectorEnv)
    assert [name for name in batch if name not in {"num_envs", "autoreset_mode"}] == list(single)
    for name, parameter in single.items():
        assert batch[name] == parameter


def test_every_rule_is_an_argument_with_its_type_and_default() -> None:
    known = arguments(MathEnv)
    rules = [rule for rule in fields(Rules) if rule.init]
    assert len(rules) == 8
    for rule in rules:
        assert known[rule.name].default == rule.default
        assert known[rule.name].annotation == rule.type


def test_the_docstrings_describe_every_argument() -> None:
    single = documented(MathEnv)
    assert sorted(single) == sorted(arguments(MathEnv))
    assert "The arguments that are not listed here are those of `MathEnv`." in (getdoc(MathVectorEnv) or "")
    assert {*single, *documented(MathVectorEnv)} == set(arguments(MathVectorEnv))


@pytest.mark.parametrize("rule", [rule.name for rule in fields(Rules) if rule.init])
def test_every_rule_reaches_the_episodes(rule: str) -> None:
    value: Any = {
        "feedback": "oracle",
        "rewards": "math",
        "max_turns": 3,
        "stop_when_correct": False,
        "prompt": "plain",
        "system_prompt": "Be brief.",
        "few_shot": 2,
        "released_rise": True,
    }[rule]
    expected = Rules(**{rule: value})
    assert expected != Rules()
    assert MathEnv(SUMS, NumericChecker(), **{rule: value}).rules == expected
    assert MathVectorEnv(SUMS, NumericChecker(), **{rule: value}).rules == expected


@pytest.mark.parametrize("name", [*FEEDBACK, *SCHEMES, *PRESETS])
def test_the_docstring_names_every_kind_of_feedback_every_reward_scheme_and_every_prompt(name: str) -> None:
    assert f'"{name}"' in (getdoc(MathEnv) or "")


def test_the_math_environment_is_found_inside_wrappers() -> None:
    env = MathEnv(SUMS, NumericChecker())
    assert math_env_of(env) is env
    assert math_env_of(TextObservation(ContextWindow(env, 1))) is env
    made = gymnasium.make("RISE-Arithmetic-v0")
    assert math_env_of(made) is made.unwrapped


def test_another_environment_is_named() -> None:
    class Other(gymnasium.Env[Any, Any]):
        pass

    with pytest.raises(ConfigError, match="expected a MathEnv, in wrappers or not, got Other"):
        math_env_of(Other())
