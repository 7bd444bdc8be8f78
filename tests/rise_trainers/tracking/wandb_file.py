"""Reads back what W&B wrote offline: a LevelDB log of protobuf records, and the files beside it."""

import json
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

BLOCK = 32768
FULL, FIRST, MIDDLE, LAST = 1, 2, 3, 4


def only(folder: Path) -> Path:
    """The one offline file of a run folder."""
    [path] = folder.glob("wandb/offline-run-*/*.wandb")
    return path


def payloads(path: Path) -> Iterator[bytes]:
    data = path.read_bytes()
    assert data[:4] == b":W&B"
    place, parts = 7, b""
    while place + 7 <= len(data):
        if BLOCK - place % BLOCK < 7:  # no room for a header: the rest of the block is padding
            place += BLOCK - place % BLOCK
            continue
        _, length, kind = struct.unpack("<IHB", data[place : place + 7])
        part = data[place + 7 : place + 7 + length]
        place += 7 + length
        parts = part if kind in (FULL, FIRST) else parts + part
        if kind in (FULL, LAST):
            yield parts


def records(path: Path, kind: str) -> Iterator[Any]:
    from wandb.proto import wandb_internal_pb2

    for payload in payloads(path):
        record = wandb_internal_pb2.Record()
        record.ParseFromString(payload)
        if record.WhichOneof("record_type") == kind:
            yield getattr(record, kind)


def history(path: Path) -> list[dict[str, Any]]:
    """Every call of `log`, as a dict."""
    return [
        {item.key or ".".join(item.nested_key): json.loads(item.value_json) for item in record.item}
        for record in records(path, "history")
    ]


def keys(path: Path) -> set[str]:
    """The keys of all calls of `log`, without W&B's own, which start with an underscore."""
    found = {key for line in history(path) for key in line if not key.startswith("_")}
    return {key.partition(".")[0] for key in found}  # tables and histograms have several fields


def column(path: Path, key: str) -> list[Any]:
    """The values of one metric, in order."""
    return [line[key] for line in history(path) if key in line]


def tables(path: Path) -> dict[str, dict[str, Any]]:
    """Key -> {"columns", "data"} of every table."""
    return {
        key.removesuffix(".path"): json.loads((path.parent / "files" / value).read_text())
        for line in history(path)
        for key, value in line.items()
        if key.endswith(".path") and str(value).endswith(".table.json")
    }


def pictures(path: Path) -> dict[str, Path]:
    """Key -> file of every image."""
    return {
        key.removesuffix(".path"): path.parent / "files" / value
        for line in history(path)
        for key, value in line.items()
        if key.endswith(".path") and str(value).endswith(".png")
    }


def config(path: Path) -> dict[str, Any]:
    found = {}
    updates = [run.config for run in records(path, "run")] + list(records(path, "config"))
    for update in updates:
        for item in update.update:
            found[item.key or item.nested_key[0]] = json.loads(item.value_json)
    return found


def panels(path: Path) -> dict[str, dict[str, Any]]:
    """Key -> definition of every custom chart."""
    parts = [item for update in records(path, "config") for item in update.update]
    charts = [item for item in parts if list(item.nested_key[:2]) == ["_wandb", "visualize"]]
    return {item.nested_key[2]: json.loads(item.value_json)["panel_config"] for item in charts}


def run(path: Path) -> Any:
    """The record of the run: id, name, group, job type, tags."""
    return next(records(path, "run"))


def run_ids(path: Path) -> set[str]:
    return {run.run_id for run in records(path, "run")}


def step_metrics(path: Path) -> dict[str, str]:
    """Metric or pattern -> what it stands against."""
    return {m.name or m.glob_name: m.step_metric for m in records(path, "metric")}


def artifacts(path: Path) -> dict[str, dict[str, Any]]:
    """name:alias -> what W&B would register, without the tables."""
    found = {}
    for artifact in records(path, "artifact"):
        if artifact.type != "run_table":
            alias = min(artifact.aliases, key=lambda alias: alias == "latest")  # ours first
            found[f"{artifact.name}:{alias}"] = {
                "type": artifact.type,
                "used": artifact.use_after_commit,
                "made_here": not artifact.user_created,
                "metadata": json.loads(artifact.metadata or "{}"),
                "uploads": {part.path for part in artifact.manifest.contents if part.local_path},
                "references": {part.path for part in artifact.manifest.contents if part.ref},
                "digests": [part.digest for part in artifact.manifest.contents],
            }
    return found
