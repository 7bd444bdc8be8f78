"""Which settings are compared when an interrupted command continues."""

from dataclasses import dataclass, field
from typing import Any

from rise_env.utils.settings import ByContent, Changeable, build, deciding_settings, differences
from rise_env.utils.signatures import checked_arguments, deciding_arguments


@dataclass(frozen=True, slots=True, kw_only=True)
class Inner:
    depth: int = 1
    speed: Changeable[int] = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    path: ByContent[str]
    threads: Changeable[int | None] = None
    inner: Inner = field(default_factory=Inner)
    optional: Inner | None = None
    free: dict[str, Any] = field(default_factory=dict)


def test_marked_settings_do_not_decide() -> None:
    values = {
        "path": "a",
        "threads": 2,
        "inner": {"depth": 3, "speed": 4},
        "optional": {"depth": 5, "speed": 6},
        "free": {"speed": 7},
    }
    assert deciding_settings(Settings, values) == {
        "inner": {"depth": 3},
        "optional": {"depth": 5},
        "free": {"speed": 7},
    }
    assert deciding_settings(Settings, {"optional": None, "unknown": 1}) == {"optional": None, "unknown": 1}


def test_marked_settings_are_built_like_others() -> None:
    built = build(Settings, {"path": "a", "threads": "2"})
    assert built.threads == 2


def test_marked_parameters_do_not_decide() -> None:
    def make(model: str, *, threads: Changeable[int] = 1, depth: int = 2) -> None: ...

    settings = checked_arguments(make, {"threads": 3, "depth": 4}, what="it", positional=1)
    assert deciding_arguments(make, settings) == {"depth": 4}


def test_differences_have_dotted_names() -> None:
    before = {"a": {"b": 1, "c": 2}, "d": [1], "e": 0}
    assert differences(before, {"a": {"b": 1, "c": 3}, "d": [1], "f": 0}) == ["a.c", "e", "f"]
    assert differences(before, {"a": None, "d": [2], "e": 0}) == ["a", "d"]
