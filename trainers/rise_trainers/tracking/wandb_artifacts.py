"""Logs stores and models of a run as W&B artifacts, each with the artifacts that it was made from.

The first artifact is the model that the run starts from. Every collection, evaluation and fit makes an
artifact that later phases of the run use; its metadata contain the phase and the artifacts it was made from.
Stores are uploaded. Of models only paths, sizes and digests are logged, unless `upload_models`.
"""

import re
from pathlib import Path
from typing import Any

from rise_agents.registry import agent_names, takes_model
from rise_trainers.loop.phases import Phase

PRODUCTS = {
    "collect": ("trajectories", "dataset"),
    "evaluate": ("evaluation", "dataset"),
    "label": ("examples", "dataset"),
    "fit": ("model", "model"),
}
"""Command -> (name, type) of the artifact that it makes."""


class Artifacts:
    """The artifacts of one W&B run.

    Args:
        run: The W&B run.
        known: Path or hub id -> name of its artifact. The runs of all seeds share it and add their own.
        upload_models: Whether models are uploaded as well.
    """

    def __init__(self, run: Any, *, known: dict[str, str], upload_models: bool) -> None:
        self._run = run
        self._upload_models = upload_models
        self._known = known

    def log_phase(self, phase: Phase, *, known: bool = False) -> None:
        """Log the artifacts that a phase used and made.

        Args:
            phase: A phase that ended.
            known: Whether an earlier process logged them already. Then only their names are remembered.
        """
        name, kind = PRODUCTS[phase.command]
        alias = phase.name.rpartition("-")[0]
        made_from = list(dict.fromkeys(self._use(source, known=known) for source in _sources(phase)))
        for path in phase.progress_files:
            self._known[path] = f"{name}-{self._run.id}:{alias}"
        if known:
            return
        metadata = {
            "phase": phase.name,
            "iteration": phase.iteration,
            "seed": phase.seed,
            "made_from": made_from,
            "settings": phase.settings,
        }
        artifact = _artifact(f"{name}-{self._run.id}", kind, metadata)
        for path in phase.progress_files:
            _add(artifact, Path(path), upload=kind != "model" or self._upload_models)
        self._send(artifact, alias)

    def log_report(self, folder: Path) -> None:
        """Log the files of the report."""
        logs = [name for name in self._known.values() if name.startswith("evaluation-")]
        metadata = {"made_from": list(dict.fromkeys(logs))}
        artifact = _artifact(f"report-{self._run.id}", "report", metadata)
        for path in sorted(folder.glob("report.*")):
            _add(artifact, path, upload=True)
        self._send(artifact, "latest")

    def _use(self, source: str, *, known: bool) -> str:
        """Return the name of an artifact. One that this run did not make is logged as an input first."""
        if source not in self._known:
            name = "base-" + re.sub(r"[^\w.-]+", "-", "-".join(Path(source).parts[-3:])).strip("-")
            self._known[source] = f"{name}:latest"
            if known:
                return self._known[source]
            artifact = _artifact(name, "model", {"source": source})
            if Path(source).exists():
                _add(artifact, Path(source), upload=False)
            else:
                artifact.add_reference(f"https://huggingface.co/{source}", checksum=False)
            self._send(artifact, "latest", made_here=False)
        return self._known[source]

    def _send(self, artifact: Any, alias: str, *, made_here: bool = True) -> None:
        # the public run.use_artifact calls this too, but waits for the upload and does not work offline
        self._run._log_artifact(
            artifact, aliases=[alias], use_after_commit=True, is_user_created=not made_here
        )


def _sources(phase: Phase) -> list[str]:
    """Return the models and stores that a phase reads."""
    settings = phase.settings
    if phase.command == "fit":
        return [settings["model"], *settings["data"]]
    if phase.command == "label":
        critic = str(settings.get("measure") or "").partition(":")[2]
        return [*settings["store"], *([critic] if critic else [])]
    agents = settings["agent"] if isinstance(settings["agent"], list) else [settings["agent"]]
    parts = [str(agent).partition(":") for agent in [*agents, settings.get("teacher") or ""]]
    return [name for agent, _, name in parts if agent in agent_names() and takes_model(agent)]


def _artifact(name: str, kind: str, metadata: dict[str, Any]) -> Any:
    import wandb

    return wandb.Artifact(name, kind, metadata=metadata)


def _add(artifact: Any, path: Path, *, upload: bool) -> None:
    """Add a file or all files of a folder, for upload or with path and digest only."""
    folder = path if path.is_dir() else path.parent
    for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
        name = file.relative_to(folder).as_posix()
        if file.is_file() and "__pycache__" not in file.parts:
            if upload:
                artifact.add_file(str(file.resolve()), name=name, policy="immutable", skip_cache=True)
            else:
                artifact.add_reference(file.resolve().as_uri(), name=name)
