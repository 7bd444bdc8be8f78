"""The files and folders of a fit, and the folders of the embedded models."""

from pathlib import Path

from rise_agents.embedded import EMBEDDED

MODEL = "model"
"""Folder of the finished model inside the partial folder. It appears in one rename, when it is complete."""
METRICS = "metrics.jsonl"
"""One JSON line per logged step; see `metrics_log`."""
SETTINGS = "fit.json"
"""The `FitConfig` of the fit, as `config.to_json` writes it."""

INPUTS = "inputs.yaml"
"""Digests of what the fit was made from. Fingerprints of models leave this kind of file out."""


def partial_folder(output: str | Path) -> Path:
    """Return the folder that holds the state of a fit until it is complete."""
    output = Path(output)
    return output.with_name(output.name + ".partial")


def metrics_path(output: str | Path) -> Path:
    """Return the metrics file of a fit: in its output when it is complete, else in the partial folder."""
    done = Path(output) / METRICS
    return done if done.exists() else partial_folder(output) / METRICS


def model_path(name: str) -> str:
    """Return the folder of an embedded model for its name, and other names as they are."""
    return EMBEDDED.get(name, name)
