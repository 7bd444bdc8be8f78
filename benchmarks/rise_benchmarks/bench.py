"""`rise bench SUITE`: trains and measures the agents of a suite, and writes the results into one folder.

    rise bench paper-gsm8k --agent transformers:BASE --agent transformers:TRAINED --out runs/gsm8k
    rise bench embedded --recipe examples/quickstart.yaml --out runs/embedded
    rise bench ablations --recipe benchmarks/recipes/ablations.yaml --variant rise --variant weights-per-turn
    rise bench real --recipe smollm2-asdiv --dry-run

OUT/result.json has the reports of all environments, the published numbers with their status, and the
settings; OUT/result.md has the tables. If it is killed at any point, the same command continues.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rise_agents.evaluation import evaluate_agents
from rise_agents.evaluation.evaluate_agents import EvaluateConfig
from rise_agents.types import SamplingConfig
from rise_benchmarks.learning.rows import measurements as learned_measurements
from rise_benchmarks.learning.table import learned
from rise_benchmarks.learning.table import text as learned_table
from rise_benchmarks.performance.provenance import write_result
from rise_benchmarks.published import METRICS, NOTES, PublishedRow, table
from rise_benchmarks.report.evaluation_logs import find_logs
from rise_benchmarks.report.report import sum_up, write_report
from rise_benchmarks.report.tables import markdown
from rise_benchmarks.search import training_costs
from rise_benchmarks.search.rows import AgentRow
from rise_benchmarks.suites import SUITES, Suite
from rise_benchmarks.training import Trained, read_recipe, train
from rise_env.errors import ConfigError
from rise_env.utils.config_parser import parse
from rise_env.utils.suggestions import validate_choice
from rise_trainers.loop.model_texts import with_models

REAL = "real"
"""The suite whose experiments are recipe files, with settings of its own; see `rise_benchmarks.real.run`."""
LEARNING = "learning"
"""Folder of the runs of `rise learn` inside that of a suite."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchConfig:
    """The settings of `rise bench`."""

    suite: str
    """paper-gsm8k, paper-math, transfer, embedded, ablations, embedded-search, alphallm, conventions or
    memory; see `suites`. The suite real has other settings; see `rise bench real --help`."""
    agent: tuple[str, ...] = ()
    """Agent to measure; repeat the option for further agents. Suites that train measure their own models."""
    label: tuple[str, ...] = ()
    """Name of the agent's row in the table; repeat the option once per --agent."""
    out: str | None = None
    """Folder for logs and results; None is runs/SUITE."""
    limit: int | None = None
    """Number of problems per environment; None takes that of the suite."""
    seeds: tuple[int, ...] = (0, 1, 2)
    """Seeds; every agent is measured once per seed."""
    draws: int | None = None
    """Number of independent first replies per problem; None takes that of the suite."""
    data_dir: str | None = None
    """Folder of the data sets; None uses RISE_DATA_DIR or the hub."""
    recipe: str | None = None
    """Settings of `rise run` (YAML) that all variants of a suite that trains share."""
    variant: tuple[str, ...] = ()
    """Variant to train, of a suite that trains; repeat the option for further ones. By default all."""
    sampling: SamplingConfig = field(default_factory=SamplingConfig)
    """How replies are sampled. The sampling of a recipe takes precedence."""
    agent_settings: Mapping[str, Any] = field(default_factory=dict)
    """Settings of the agents."""

    def __post_init__(self) -> None:
        suite = SUITES[validate_choice(self.suite, [*SUITES, REAL], "suite")]
        if suite.variants and self.agent:
            raise ConfigError(
                f"suite {self.suite!r} trains the agents that it measures: leave out --agent {self.agent[0]}"
            )
        if suite.variants and self.recipe is None:
            raise ConfigError(
                f"suite {self.suite!r} trains models: give the settings of rise run with --recipe FILE.yaml"
            )
        self._check_variants(suite)
        if suite.agents and self.agent:
            raise ConfigError(
                f"suite {self.suite!r} names its agents itself: leave out --agent {self.agent[0]}"
            )
        if suite.learned and len(self.agent) != 1:
            raise ConfigError(f"suite {self.suite!r} lets one agent learn: name one with --agent")
        if not suite.variants and not suite.agents and not self.agent:
            raise ConfigError(f"suite {self.suite!r} measures agents: name at least one with --agent")

    def _check_variants(self, suite: Suite) -> None:
        if self.variant and not suite.variants:
            raise ConfigError(f"suite {self.suite!r} trains nothing: leave out --variant {self.variant[0]}")
        for name in self.variant:
            source = suite.variants[validate_choice(name, suite.variants, "variant")].rollouts_of
            if source is not None and source not in self.variant:
                raise ConfigError(f"variant {name!r} trains on the rollouts of {source!r}: name both")


def chosen_suite(config: BenchConfig) -> Suite:
    """Return the suite, with the variants that `config.variant` names, and the figures of their rows."""
    suite = SUITES[config.suite]
    if not config.variant:
        return suite
    variants = {name: variant for name, variant in suite.variants.items() if name in config.variant}
    rows = {row for variant in variants.values() for row in variant.rows.values()}
    figures = {name: tuple(row for row in wanted if row in rows) for name, wanted in suite.figures.items()}
    kept = {name: found for name, found in figures.items() if len(found) > 1}
    return dataclasses.replace(suite, variants=variants, figures=kept)


def main(argv: Sequence[str]) -> int:
    """Run `rise bench`."""
    if argv and argv[0] == REAL:
        from rise_benchmarks.real.run import main as run_recipe

        return run_recipe(argv[1:])
    config = parse(BenchConfig, argv, prog="rise bench", positional="suite")
    out = run(config)
    print((out / "result.md").read_text())
    print(f"result: {out}/result.json, result.md; reports: {out}/<environment>/report.html")
    return 0


def run(config: BenchConfig) -> Path:
    """Play the episodes of a suite that are missing, write the result and return its folder.

    Raises:
        ConfigError: Settings contradict each other.
        DataNotFoundError: Problems, agents or the recipe do not exist.
    """
    suite = chosen_suite(config)
    out = Path(config.out or f"runs/{config.suite}")
    trained = _train(config, suite, out) if suite.variants else None
    for env in suite.envs:
        for settings in _measurements(config, suite, env, out, trained):
            evaluate_agents.run(settings)
            if trained is not None and not suite.agents:
                _score_answers(settings)
    result = _result(config, suite, out, trained)
    write_result(out / "result.json", result, indent=1)
    (out / "result.md").write_text(result_text(result) + "\n")
    return out


def result_text(result: Mapping[str, Any]) -> str:
    """Return a result as Markdown: our tables, then the published one."""
    parts = [markdown(report) for report in result["reports"].values()]
    if result["training_costs"]:
        parts.append(training_costs.markdown(result["training_costs"]))
    parts += [
        f"The same replies, checked as the released RISE code does:\n\n{markdown(report)}"
        for report in result["checked_as_released"].values()
    ]
    if result.get("learned"):
        parts.append(f"What was learned, on training problems:\n\n{learned_table(result['learned'])}")
    if result["published"]:
        parts.append(_published_text(result["published"]))
    return "\n\n".join(parts)


def _measurements(
    config: BenchConfig, suite: Suite, env: str, out: Path, trained: Trained | None
) -> list[EvaluateConfig]:
    recipe = read_recipe(config.recipe) if config.recipe else {}
    problems = recipe.get("problems", {})
    settings: dict[str, Any] = {**problems.get("settings", {}), "split": suite.split}
    if config.data_dir is not None:
        settings["data_dir"] = config.data_dir
    common = EvaluateConfig(
        env=env,
        agent=config.agent or ("tiny",),
        label=config.label,
        out=str(out / env),
        limit=config.limit or suite.limit or 10**9,
        seeds=config.seeds,
        protocols=suite.protocols,
        draws=config.draws or suite.draws,
        sampling=SamplingConfig(**recipe["sampling"]) if "sampling" in recipe else config.sampling,
        env_settings=settings,
        agent_settings=config.agent_settings,
    )
    common = dataclasses.replace(common, turns=suite.turns, num_samples=suite.num_samples)
    if suite.agents and trained is None:
        return [_measured(common, label, row) for label, row in suite.agents.items()]
    if suite.agents and trained is not None:
        return [
            _measured(dataclasses.replace(common, seeds=(seed,)), label, row, trained.critics.get(seed))
            for seed in config.seeds
            for label, row in {**suite.agents, **trained.rows(seed)}.items()
        ]
    if suite.learned:
        return learned_measurements(common, suite.learned, out / LEARNING)
    if trained is None:
        return [common]
    found = []
    for seed in config.seeds:  # each seed has models of its own
        models = tuple(each[seed] for each in trained.models.values())
        own = dataclasses.replace(common, agent=models, label=tuple(trained.models), seeds=(seed,))
        found.append(own)
        if suite.prompting:
            first = dataclasses.replace(own, agent=models[:1], label=own.label[:1], protocols=suite.prompting)
            found.append(first)
    return found


def _measured(common: EvaluateConfig, label: str, row: AgentRow, critic: str | None = None) -> EvaluateConfig:
    return dataclasses.replace(
        common,
        agent=(row.agent,),
        label=(label,),
        agent_settings=with_models(row.settings, learner=row.agent, critic=critic),
        draws=row.draws,
        sampling=dataclasses.replace(common.sampling, temperature=row.temperature),
        told=row.told,
    )


def _train(config: BenchConfig, suite: Suite, out: Path) -> Trained:
    folder = out / "training"
    return train(suite.variants, folder, env=suite.envs[0], recipe=config.recipe, seeds=config.seeds)


def _score_answers(settings: EvaluateConfig) -> None:
    """Write the likelihood of the right answers under each model that transformers can load."""
    from rise_agents.evaluation.answer_likelihood import score_logs

    [seed] = settings.seeds
    for agent, label in zip(settings.agent, settings.label, strict=True):
        score_logs(agent.partition(":")[2], Path(settings.out) / evaluate_agents.folder_name(label), seed)


def _result(config: BenchConfig, suite: Suite, out: Path, trained: Trained | None) -> dict[str, Any]:
    costs = {} if trained is None or not suite.agents else training_costs.of_models(trained, config.seeds)
    reports = {env: write_report(out / env, ablations=suite.figures, equal=suite.equal) for env in suite.envs}
    released = {}
    if suite.checker:
        released = {env: sum_up(find_logs([out / env], suite.checker)) for env in suite.envs}
    published = table(suite.published) if suite.published else []
    return {
        "suite": config.suite,
        "settings": {"limit": config.limit, "seeds": list(config.seeds), "draws": config.draws},
        "reports": reports,
        "training_costs": costs,
        "learned": learned(out / LEARNING) if suite.learned else [],
        "checked_as_released": released,
        "published": [_published_json(row) for row in published],
    }


def _published_json(row: PublishedRow) -> dict[str, Any]:
    cells = {
        metric: None if cell is None else {"value": cell.value, "status": cell.status}
        for metric, cell in row.cells.items()
    }
    return {"table": row.table, "name": row.name, "percent": cells}


def _published_text(rows: Sequence[Mapping[str, Any]]) -> str:
    marks = {"confirmed": "", "derived": " (derived)", "recalled": " (recalled)"}
    lines = [
        "**Published (arXiv:2407.18219), percent; recalled numbers are not checked against the paper**",
        "",
        "| | " + " | ".join(METRICS) + " |",
        "|" + " --- |" * (len(METRICS) + 1),
    ]
    for row in rows:
        cells = [
            "–" if cell is None else f"{cell['value']:.1f}{marks[cell['status']]}"
            for cell in row["percent"].values()
        ]
        lines.append(f"| {row['name']} ({row['table']}) | " + " | ".join(cells) + " |")
    return "\n".join([*lines, "", *(f"- {note}" for note in NOTES)])
