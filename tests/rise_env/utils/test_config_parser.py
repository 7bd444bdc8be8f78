from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pytest
import yaml

from rise_env.errors import ConfigError
from rise_env.utils.config_parser import parse


@dataclass(frozen=True, kw_only=True)
class Inmost:
    """Settings two levels deep."""

    depth: int = 2


@dataclass(frozen=True, kw_only=True)
class Inner:
    """Inner settings."""

    max_steps: int = 3
    more: Mapping[str, Any] = field(default_factory=lambda: {"split": "test"})
    inmost: Inmost | None = None


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Some settings."""

    env: str = "a"
    data: tuple[str, ...] = ()
    maybe: Inner | None = None
    inner: Inner = field(default_factory=Inner)
    free: dict[str, Any] = field(default_factory=dict)
    dry_run: bool = False
    seeds: tuple[int, ...] = (0,)
    names: tuple[str, ...] = ()
    kinds: tuple[Literal["plain", "fancy"], ...] = ()
    rate: float = 0.1
    bits: Literal[4, 8] | None = None
    label: str | None = None
    entries: tuple[str | Mapping[str, Any], ...] = ()

    def __post_init__(self) -> None:
        if self.inner.max_steps < 1:
            raise ConfigError(f"max_steps must be at least 1, got {self.inner.max_steps}")


def read(*argv: str) -> Settings:
    return parse(Settings, argv, prog="x", positional="env")


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


def test_several_config_files_are_laid_over_each_other(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("env: a\nfree: {rate: 1e-5, list: [1, 2], deep: {x: 1, y: 1}}\n")
    (tmp_path / "b.yaml").write_text("inner: {max_steps: 7}\nfree: {list: [3], deep: {y: 2}}\n")
    found = read("--config", str(tmp_path / "a.yaml"), f"--config={tmp_path / 'b.yaml'}", "--env", "line")
    free = {"rate": 1e-5, "list": [3], "deep": {"x": 1, "y": 2}}
    assert found == Settings(env="line", inner=Inner(max_steps=7), free=free)


@pytest.mark.parametrize(
    ("text", "message"),
    [(None, "there is no config file"), ("a: [1", "is not YAML"), ("- 1", "holds no settings")],
)
def test_a_second_config_file_that_cannot_be_read_is_named(
    tmp_path: Path, text: str | None, message: str
) -> None:
    (tmp_path / "a.yaml").write_text("env: a\n")
    if text is not None:
        (tmp_path / "b.yaml").write_text(text)
    with pytest.raises(ConfigError, match=message) as error:
        read("--config", str(tmp_path / "a.yaml"), "--config", str(tmp_path / "b.yaml"))
    assert "b.yaml" in str(error.value)


def test_a_switch_needs_no_value() -> None:
    assert read("--dry-run").dry_run
    assert read("--dry-run", "--env", "b") == Settings(dry_run=True, env="b")
    assert not read("--dry-run", "false").dry_run


def test_a_list_needs_no_brackets() -> None:
    assert read("--seeds", "3").seeds == read("--seeds=3").seeds == read("--seeds", "[3]").seeds == (3,)
    assert read("--seeds", "0,1, 2").seeds == read("--seeds", "[0, 1, 2]").seeds == (0, 1, 2)
    assert read("--names", "a", "--env", "b") == Settings(names=("a",), env="b")


def test_an_entry_of_a_list_may_be_a_text_or_a_mapping() -> None:
    found = read("--entries", "a, b", "--entries", "{a-b: 2}", "--entries", "[c, {d: null}]").entries
    assert found == ("a, b", {"a_b": 2}, "c", {"d": None})
    assert read("--names", "{question}").names == ("{question}",)


def test_no_arguments_give_the_defaults() -> None:
    assert read() == Settings()


def test_deep_options_are_laid_over_each_other_and_read_as_yaml() -> None:
    words = ["--free.extra.top_k", "5", "--free.extra.min-p=.1", "--free.extra.flag", "true", "--free.a", "1"]
    words += [
        "--free.extra.name",
        "[it is",
        "--free.extra.deep.er",
        "1e-5",
        "--free.extra.deep.x",
        "-1",
        "--free.extra.no=",
        "--free.extra.template={question}",
        "--free.extra.mapping={question: 1}",
    ]
    extra = {
        "top_k": 5,
        "min_p": 0.1,
        "flag": True,
        "name": "[it is",
        "deep": {"er": 1e-5, "x": -1},
        "no": "",
        "template": "{question}",
        "mapping": {"question": 1},
    }
    assert read(*words) == Settings(free={"extra": extra, "a": 1})
    assert type(read(*words).free["extra"]["flag"]) is bool


def test_deep_options_go_into_mappings_of_nested_settings_and_keep_the_rest(tmp_path: Path) -> None:
    found = read("--inner.more.a.b", "1", "--inner.more.a.c", "2", "--inner.max_steps", "9")
    assert found == Settings(inner=Inner(max_steps=9, more={"split": "test", "a": {"b": 1, "c": 2}}))
    path = tmp_path / "a.yaml"
    path.write_text("free: {a: {b: 1, c: 1}, d: 1}\n")
    found = read("--config", str(path), "--free.a.b", "2", "--free.e", "3")
    assert found.free == {"a": {"b": 2, "c": 1}, "d": 1, "e": 3}
    assert read("--free", '{"a": {"b": 1}}', "--free.a.c", "2").free == {"a": {"b": 1, "c": 2}}


def test_deep_options_go_into_settings_that_may_be_none() -> None:
    more = {"a": {"b": 1, "c": 2}}
    assert read("--maybe.more.a.b", "1", "--maybe.more.a.c", "2").maybe == Inner(more=more)
    found = read("--maybe", '{"max_steps": 4, "more": {"a": {"b": 1}}}', "--maybe.more.a.c", "2")
    assert found.maybe == Inner(max_steps=4, more=more)


def test_of_deep_options_the_later_one_wins() -> None:
    assert read("--free.a.b", "1", "--free.a.b", "2").free == {"a": {"b": 2}}
    assert read("--free.a", "1", "--free.a.b", "2").free == {"a": {"b": 2}}
    assert read("--free.a.b", "1", "--free.a", "2").free == {"a": 2}
    assert read("--free.a.b", "1", "--free", '{"c": 2}').free == {"c": 2}
    assert read("--free.a.b", "1", "--free.aa", "2").free == {"a": {"b": 1}, "aa": 2}


def test_a_config_file_after_a_deep_option_wins_where_it_says_something(tmp_path: Path) -> None:
    file = tmp_path / "c.yaml"
    file.write_text("free: {extra: {a: 7, b: 8}}\ninner: {more: {deep: 5}}\n")
    deep = ["--free.extra.a", "1", "--free.extra.c", "2", "--inner.more.deep.x", "3"]
    later = read(*deep, "--config", str(file))
    assert later.free == {"extra": {"a": 7, "b": 8, "c": 2}}
    assert later.inner.more["deep"] == 5
    assert read(f"--config={file}", *deep).free == {"extra": {"a": 1, "b": 8, "c": 2}}
    other = tmp_path / "d.yaml"
    other.write_text("free: {more: " + "x" * 5000 + "}\n")
    both = read("--config", str(other), *deep, "--config", str(file))
    assert both.free == {"extra": {"a": 7, "b": 8, "c": 2}, "more": "x" * 5000}


def test_print_config_shows_deep_options(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        read("--free.a.b", "1", "--print_config")
    assert yaml.safe_load(capsys.readouterr().out)["free"] == {"a": {"b": 1}}


@pytest.mark.parametrize("argv", [["--free.a.b"], ["--free.a.b", "--env", "x"], ["--env.a.b", "5"]])
def test_a_deep_option_without_a_value_or_a_mapping_is_refused(argv: list[str]) -> None:
    with pytest.raises(ConfigError, match=r"env|expected one argument"):
        read(*argv)


def test_a_text_stays_the_text_that_was_typed() -> None:
    assert read("--env", "5").env == "5"
    assert read("--env", "null").env == "null"
    assert read("--label", "Rule: be brief").label == "Rule: be brief"
    assert read("--free.system_prompt", "Rule: be brief").free == {"system_prompt": "Rule: be brief"}
    assert read("--free.text", "${x} # not a comment").free == {"text": "${x} # not a comment"}
    assert read("--names", "a,b", "--names", "[c, d]").names == ("a,b", "c", "d")


def test_numbers_in_free_mappings_are_numbers_and_quotes_make_texts() -> None:
    words = ["--free.a", "5", "--free.b", "1e-5", "--free.c", "null", "--free.d", "'5'", "--free.e", "[1, x]"]
    assert read(*words).free == {"a": 5, "b": 1e-5, "c": None, "d": "5", "e": [1, "x"]}


def test_values_are_read_as_their_types_say() -> None:
    found = read("--rate", "1e-4", "--bits", "4", "--label", "null", "--kinds", "plain,fancy", "--dry_run")
    expected = Settings(rate=1e-4, bits=4, label=None, kinds=("plain", "fancy"), dry_run=True)
    assert found == expected


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["--inner.max_steps", "many"], "inner.max_steps is 'many': expected int"),
        (["--maybe", "{max_steps: many}"], "maybe.max_steps is 'many': expected int"),
        (["--maybe", "{max_stepz: 1}"], "no setting 'maybe.max_stepz'; did you mean 'max_steps'?"),
        (["--kinds", "plane"], "kinds is 'plane': did you mean 'plain'?"),
        (["--bits", "5"], "bits is '5': "),
        (["--dry_run", "maybe"], "dry_run is 'maybe': expected bool"),
        (["--seeds", "0,x"], "seeds is '0,x': expected int"),
        (["--inner.max_stepz", "4"], "no option --inner.max_stepz; did you mean 'inner.max_steps'?"),
        (["--free", "{a: ["], "is not YAML"),
        (["b", "c"], "'c' is one argument too many"),
    ],
)
def test_an_error_names_the_setting_the_value_and_what_was_probably_meant(
    argv: list[str], message: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        read(*argv)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_error_in_a_file_names_the_file_the_setting_and_the_value(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text("inner: {max_stepz: 3}\n")
    with pytest.raises(
        ConfigError, match=r"a\.yaml: no setting 'inner\.max_stepz'; did you mean 'max_steps'\?"
    ):
        read("--config", str(file))
    file.write_text("kinds: [plain, fency]\n")
    with pytest.raises(ConfigError, match=r"kinds\[1\] is 'fency': did you mean 'fancy'\?"):
        read("--config", str(file))
    file.write_text("env: 5\n")
    with pytest.raises(ConfigError, match="env is 5: expected str, got int"):
        read("--config", str(file))


def test_an_option_of_settings_that_may_be_none_makes_them_and_null_takes_them_back() -> None:
    assert read("--maybe.max_steps", "4").maybe == Inner(max_steps=4)
    assert read("--maybe.max_steps", "4", "--maybe", "null").maybe is None
    assert read("--maybe.inmost.depth", "3").maybe == Inner(inmost=Inmost(depth=3))


def test_the_help_has_a_default_for_every_setting_and_the_first_argument_in_its_usage(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit):
        read("--help")
    text = " ".join(capsys.readouterr().out.split())
    assert text.startswith("usage: x [ENV]")
    assert "--inner.max_steps INT (default: 3)" in text
    assert "--kinds {plain,fancy},... (default: [])" in text


def test_printed_settings_read_back_are_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--maybe.more.a.b", "1e-5", "--seeds", "1,2", "--rate", "2", "--label", "x: y"]
    with pytest.raises(SystemExit):
        read(*words, "--print-config")
    (tmp_path / "a.yaml").write_text(capsys.readouterr().out)
    assert read("--config", str(tmp_path / "a.yaml")) == read(*words)


def test_a_positional_list_takes_several_arguments() -> None:
    found = parse(Settings, ["a", "b", "--env", "x", "--data", "c"], prog="x", positional="data")
    assert found == Settings(data=("a", "b", "c"), env="x")
