"""The pages of commands, settings and ids: made from dataclasses, help texts and the table of sets."""

import contextlib
import importlib
import inspect
import io
import json
import os
import re
import typing
from dataclasses import MISSING, fields
from typing import Any

from rise_env.cli.main import main
from rise_env.utils import settings as st
from rise_env.utils.config_parser import field_docstrings, shown_type
from rise_env.utils.plugins import COMMANDS, plugins

CONFIGS = {
    "run": "rise_trainers.loop.config:RunConfig",
    "fit": "rise_trainers.fitting.config:FitConfig",
    "collect": "rise_agents.rollouts.collect_config:CollectConfig",
    "evaluate": "rise_agents.evaluation.evaluate_agents:EvaluateConfig",
    "mask": "rise_trainers.cli.mask:MaskConfig",
    "label": "rise_trainers.cli.label:LabelConfig",
    "report": "rise_benchmarks.report.report:ReportConfig",
    "bench": "rise_benchmarks.bench:BenchConfig",
    "learn": "rise_agents.learning.config:LearnConfig",
    "imagine": "rise_agents.cli.imagine:ImagineConfig",
    "doctor": "rise_trainers.doctor.doctor:DoctorConfig",
}
"""Command -> the dataclass of its settings. The other commands are described by their help texts."""
HEAD = "| setting | type | default | what it does |\n| --- | --- | --- | --- |\n"


def command_pages() -> dict[str, str]:
    """Return a page per command, and the page of environment ids, by their places in the site.

    Raises:
        ValueError: A command has settings and is missing in `CONFIGS`.
    """
    pages = {"reference/ids.md": _ids()}
    for name in plugins(COMMANDS):
        text = _help(name)
        if ("--print_config" in text) != (name in CONFIGS):
            raise ValueError(f"docs/hooks/command_pages.py: CONFIGS and the help of `rise {name}` disagree")
        body = _settings(name) if name in CONFIGS else _help_texts(name, text)
        pages[f"reference/commands/{name}.md"] = f"# `rise {name}`\n\n{body}"
    return pages


def _settings(command: str) -> str:
    module, _, name = CONFIGS[command].partition(":")
    config = getattr(importlib.import_module(module), name)
    about = inspect.getdoc(importlib.import_module(module)) if command == "run" else inspect.getdoc(config)
    usage = re.search(r"usage: (.*?)\n\n", _help(command), re.DOTALL)
    assert usage is not None
    note = (
        "A setting is given as `--NAME VALUE`, or as `NAME: VALUE` in a file that `--config FILE` names. "
        "`--print_config` prints all settings and exits. A dagger (†) marks settings that may change when an "
        "interrupted command continues."
    )
    shown = f"```text\n{usage[1]}\n```"
    return "\n\n".join([_prose(about or ""), shown, note, *_tables(config, "", "Settings")]) + "\n"


def _tables(config: type, prefix: str, title: str) -> list[str]:
    """Return the heading and table of a dataclass, and those of the dataclasses in it."""
    texts, kinds = field_docstrings(config), st.field_types(config)
    marks = typing.get_type_hints(config, include_extras=True)
    rows, inner = [], []
    for field in fields(config):
        name, kind = prefix + field.name, kinds[field.name]
        nested = st.nested_dataclass(kind)
        default = st.default_of(field)
        if nested is not None:
            text = texts.get(field.name) or " ".join((nested.__doc__ or "").split())
            first, *tables = _tables(nested, f"{name}.", f"`{name}`")
            empty = (
                "\n\nThe default is `null`: without any of these settings, the part is left out."
                if default is None
                else ""
            )
            inner += [f"{first}\n\n{_escaped(text)}{empty}", *tables]
            continue
        dagger = " †" if st.mark_of(marks[field.name]) is st.Mark.CHANGEABLE else ""
        shown = "required" if default is MISSING else f"`{st.yaml_text(default)}`"
        cells = (f"`{name}`{dagger}", f"`{shown_type(kind)}`", shown, _escaped(texts.get(field.name, "")))
        rows.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |\n")
    table = [HEAD + "".join(rows)] if rows else []
    return [f"## {title}", *table, *inner]


def _help_texts(command: str, text: str) -> str:
    """Return the help of a command and of each of its sub-commands."""
    parts = [f"```text\n{text.strip()}\n```"]
    for name in dict.fromkeys(re.findall(r"^ {4}([a-z]+)(?: {2,}|$)", text, re.MULTILINE)):
        inner = _help(command, name)
        if inner:
            parts.append(f"## `rise {command} {name}`\n\n```text\n{inner.strip()}\n```")
    return "\n\n".join(parts) + "\n"


def _help(*words: str) -> str:
    """Return the help text of a command at a width of 100 columns."""
    printed = io.StringIO()
    before = os.environ.get("COLUMNS")
    os.environ["COLUMNS"] = "100"
    try:
        with contextlib.redirect_stdout(printed), contextlib.suppress(SystemExit):
            main([*words, "--help"])
    finally:
        os.environ.pop("COLUMNS") if before is None else os.environ.update(COLUMNS=before)
    return printed.getvalue()


def _ids() -> str:
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        main(["envs", "--json"])
    rows = [
        f"| `{row['id']}` | {_escaped(row['title'])} | "
        + (
            ", ".join(f"{split} {found['problems']:,}" for split, found in row["splits"].items())
            or _escaped(row["origin"])
        )
        + " |"
        for row in json.loads(printed.getvalue())
    ]
    about = (
        "Each id is registered with Gymnasium by `import rise_env`. `rise envs` prints it and says "
        "where each split is read from."
    )
    return "\n".join(
        [
            "# Environment ids",
            "",
            about,
            "",
            "| id | problems | splits and their sizes |",
            "| --- | --- | --- |",
            *rows,
            "",
        ]
    )


def _prose(text: str) -> str:
    """Return a docstring as Markdown: its indented blocks become blocks of code."""

    def block(found: re.Match[str]) -> str:
        return f"```text\n{inspect.cleandoc(found[0])}\n```\n"

    return re.sub(r"(?:^ {4}\S.*\n?)+", block, text, flags=re.MULTILINE)


def _escaped(text: Any) -> str:
    """Return a text in which Markdown and HTML read no marks other than backquotes."""
    return (
        re.sub(r"([<>*_\[\]])", r"\\\1", str(text))
        if "`" not in str(text)
        else str(text).replace("<", "&lt;")
    )
