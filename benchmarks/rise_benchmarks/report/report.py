"""`rise report RUN...`: sums up evaluations as a table, figures and a page to browse the episodes.

Reads the logs that `rise run` and `rise evaluate` write under <label>/seed-<seed>/, and writes into the first
folder, or into --out: report.json (fractions; all metrics with intervals), report.md, report.csv,
report.html (one file, opens from disk) and figures (PNG and SVG).
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from rise_benchmarks.report.critics import critics
from rise_benchmarks.report.equal_budget import equal_budget
from rise_benchmarks.report.evaluation_logs import Measured, find_logs, load, read_episodes
from rise_benchmarks.report.tables import csv_text, legend, markdown, plain
from rise_benchmarks.report.training_logs import answer_logps, losses
from rise_env.errors import ConfigError, MissingDependencyError
from rise_env.metrics.budgets.equal_budget import Budget
from rise_env.metrics.budgets.search_quality import search_quality
from rise_env.metrics.policy_results import PolicyResults
from rise_env.metrics.report_row import gains, row
from rise_env.trajectories.outcomes import FailureLimits, Outcomes, end_with, failure
from rise_env.trajectories.output_folder import check_output_folder, make_output_folder
from rise_env.utils.config_parser import parse
from rise_env.utils.extras import missing_library


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportConfig:
    """The settings of `rise report`."""

    run: tuple[str, ...]
    """Run folders of `rise run`, or output folders of `rise evaluate`."""
    out: str | None = None
    """Folder for the report files; None is the first run folder."""
    checker: str | None = None
    """Name of a checker that checks all replies again, for example released_rise_gsm8k; None uses the stored
    verdicts."""
    ablation: tuple[str, ...] = ()
    """Name of an ablation figure to draw in addition: multi_turn_interaction, fail_samples, ...; may be
    repeated."""
    page: bool = True
    """Whether to write report.html."""
    equal: Budget | None = None
    """Compare each row with draws of the first row that cost as much: generated (tokens), total (generated
    tokens and prompt tokens that no cache served) or calls. None leaves this table out."""
    files: bool = True
    """Whether to write the files; false prints the table only."""
    definitions: bool = False
    """Whether to print what each column and line of the tables means."""
    failures: FailureLimits = field(default_factory=FailureLimits)
    """From which share on failed episodes and cut, refused or unread replies are warned about."""


def main(argv: Sequence[str]) -> int:
    """Run `rise report`; return 1 if most episodes of a row failed, or most replies were cut or refused."""
    config = parse(ReportConfig, argv, prog="rise report", positional="run")
    folders = [Path(run) for run in config.run]
    if not folders:
        raise ConfigError("no run folder is given: write rise report RUN")
    if not config.files:
        report = make_report(*folders, checker=config.checker, equal=config.equal, failures=config.failures)
        print(_text(report, config))
        return _end(report)
    out = Path(config.out) if config.out else folders[0]
    check_output_folder(out)
    report = write_report(
        *folders,
        out=out,
        page=config.page,
        ablations=dict.fromkeys(config.ablation, ()),
        checker=config.checker,
        equal=config.equal,
        failures=config.failures,
    )
    print(_text(report, config))
    names = ["report.html"] * config.page + ["report.json", "report.md", "report.csv"]
    if report["figures"]:
        names += ["accuracy_by_turn.png", "figures/"]
    else:
        print(f"\nno figures: {missing_library('matplotlib')}")
    print(f"\nreport files: {out}/{', '.join(names)}")
    return _end(report)


def _text(report: Mapping[str, Any], config: ReportConfig) -> str:
    return "\n".join([plain(report), *(["", *legend(report)] if config.definitions else [])])


def _end(report: Mapping[str, Any]) -> int:
    limits = FailureLimits(**report["failures"])
    failures = {row["name"]: failure(Outcomes.from_json(row["outcomes"]), limits) for row in report["rows"]}
    said = "; ".join(f"{name}: {text}" for name, text in failures.items() if text)
    return end_with(said, prog="rise report")


def write_report(
    *folders: Path,
    out: Path | None = None,
    page: bool = True,
    ablations: Mapping[str, Sequence[str]] = MappingProxyType({}),
    checker: str | None = None,
    equal: Budget | None = None,
    failures: FailureLimits = FailureLimits(),  # noqa: B008 - it is frozen
) -> dict[str, Any]:
    """Write the report files of some folders and return the report.

    Without matplotlib, there are no figures, and the report has "figures": [].

    Args:
        folders: Folders of runs or evaluations.
        out: Folder for the report files; None is the first of `folders`.
        page: Whether to write report.html.
        checker: Name of the checker whose verdicts are used; None uses the stored verdicts.
        ablations: Figures of `figures.ABLATIONS` to draw in addition -> the names of their rows; an empty
            tuple takes all rows.
        equal: What is held equal in the table of `equal_budget`; None leaves the table out.
        failures: From which share on failures are warned about.

    Raises:
        DataNotFoundError: There are no complete evaluation logs.
        ConfigError: The logs are of different problems, or there is no such ablation.
    """
    out = out or folders[0]
    found = find_logs(folders, checker)
    report = sum_up(found, losses(folders), equal, failures) | {"critics": critics(folders)}
    make_output_folder(out)
    figures = _draw(report, out, ablations)
    report["figures"] = list(figures)
    (out / "report.json").write_text(json.dumps(report, indent=1) + "\n")
    (out / "report.md").write_text(markdown(report) + "\n")
    (out / "report.csv").write_text(csv_text(report))
    if page:
        from rise_benchmarks.report.page.html_page import write_page

        write_page(out / "report.html", report, found, figures)
    return report


def _draw(report: Mapping[str, Any], out: Path, ablations: Mapping[str, Sequence[str]]) -> dict[str, Path]:
    """Write the figures, and return name -> SVG file; return an empty dict without matplotlib."""
    from rise_benchmarks.report.figures import accuracy_by_turn, draw_all
    from rise_benchmarks.report.plot_style import save

    try:
        save(accuracy_by_turn(report), out / "accuracy_by_turn.png")
        return draw_all(report, out / "figures", ablations)
    except MissingDependencyError:
        return {}


def make_report(
    *folders: Path,
    checker: str | None = None,
    equal: Budget | None = None,
    failures: FailureLimits = FailureLimits(),  # noqa: B008 - it is frozen
) -> dict[str, Any]:
    """Return the report of some folders without writing files; see `write_report`."""
    report = sum_up(find_logs(folders, checker), losses(folders), equal, failures)
    return report | {"critics": critics(folders)}


def sum_up(
    found: Sequence[Measured],
    training: Sequence[Mapping[str, Any]] = (),
    equal: Budget | None = None,
    failures: FailureLimits = FailureLimits(),  # noqa: B008 - it is frozen
) -> dict[str, Any]:
    """Return a report with one row per policy, each compared with the first.

    Args:
        found: The logs of the policies.
        training: Losses of the fits; see `training_logs.losses`.
        equal: See `write_report`.
        failures: See `write_report`.

    Raises:
        ConfigError: The logs are of different problems or protocols.
    """
    rows: list[dict[str, Any]] = []
    results: list[PolicyResults] = []
    searches: list[dict[str, Any]] = []
    for measured in found:
        outcomes = Outcomes()
        own = load(measured, outcomes)
        logps = answer_logps(measured, own.problems)
        further: dict[str, Any] = {} if logps is None else {"answer_logp_by_turn": logps}
        further["outcomes"] = outcomes.to_json()
        rows.append(row(measured.name, own, results[0] if results else None) | further)
        results.append(own)
        logs = [read_episodes(path, measured.checker) for path in measured.logs["sequential"]]
        searched = search_quality(measured.name, logs, own.problems)
        searches += [searched] if searched is not None else []
    first = found[0].record
    for key in ("env", "turns", "num_samples"):
        for measured in found:
            if measured.record[key] != first[key]:
                raise ConfigError(
                    f"{measured.name!r} was measured with {key} {measured.record[key]!r}, "
                    f"{found[0].name!r} with {first[key]!r}: write separate reports"
                )
    return {
        "env": first["env"],
        "problems": len(results[0].problems),
        "split": first["env_settings"].get("split"),
        "seeds": list(found[0].seeds),
        "turns": first["turns"],
        "num_samples": first["num_samples"],
        "checker": found[0].checker or "as stored",
        "rows": rows,
        "gains": gains([measured.name for measured in found], results),
        "training": list(training),
        "failures": asdict(failures),
        **({"searches": searches} if searches else {}),
        **({} if equal is None else {"equal": equal_budget(found, results, equal)}),
    }
