from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from rise_env.command_line import parse
from rise_env.errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class Inner:
    """Inner settings."""

    max_steps: int = 3


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Some settings."""

    env: str = "a"
    data: tuple[str, ...] = ()
    inner: Inner = field(default_factory=Inner)
    free: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.inner.max_steps < 1:
            raise ConfigError(f"max_steps must be at least 1, got {self.inner.max_steps}")


def read(*argv: str) -> Settings:
    return parse(Settings, argv, prog="x", positional="env", repeated=("data",))


def test_dashes_and_underscores_are_the_same() -> None:
    assert read("--inner.max-steps", "5") == read("--inner.max_steps=5") == Settings(inner=Inner(max_steps=5))


def test_the_first_argument_fills_the_positional_field() -> None:
    assert read("b").env == "b"
    assert read("--env", "b").env == "b"


def test_an_option_may_be_given_several_times() -> None:
    assert read("--data", "x", "--data=y").data == ("x", "y")
    assert read("--data", '["x", "y"]').data == ("x", "y")


def test_later_arguments_win_over_a_config_file(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("env: file\ninner: {max_steps: 7}\nfree: {split: test}\n")
    found = read("--config", str(path), "--env", "line")
    assert found == Settings(env="line", inner=Inner(max_steps=7), free={"split": "test"})


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["--colour", "red"], "colour"),
        (["--inner.max_steps", "many"], "max_steps"),
        (["--inner.max_steps", "0"], "at least 1, got 0"),
        (["--config", "/no/such.yaml"], "such.yaml"),
    ],
)
def test_a_wrong_argument_is_one_line(argv: list[str], message: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        read(*argv)
    assert "\n" not in str(caught.value)


def test_help_says_what_the_docstrings_say(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        read("--help")
    assert caught.value.code == 0
    assert "Some settings." in capsys.readouterr().out
