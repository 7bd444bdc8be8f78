"""`rise fit`: one reward-weighted fit, from stores of trajectories and a model folder to a new model folder.

    rise fit --data STORE.jsonl --model PATH --output DIR
    rise fit --config fit.yaml --learning_rate 2e-5 --selection.criterion better

The work is done by processes that the deepspeed launcher starts; this file needs no torch. While a fit runs
its state is in `DIR.partial` (settings, log, metrics, checkpoints); `DIR` appears when it is complete, in one
rename. A killed fit goes on from its last checkpoint when the same command is given again.
"""

import dataclasses
import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

from rise_env.errors import ConfigError, DataNotFoundError
from rise_trainers.selection import Selection
from rise_trainers.weights import Scheme

METRICS = "metrics.jsonl"
SETTINGS = "fit.json"
MODEL = "model"
"""In the partial folder: the finished model, there when it is whole."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FitConfig:
    """One fit: what to learn from, how much each reply counts, and how to train."""

    data: tuple[str, ...]
    """Stores of trajectories, pooled."""
    model: str
    """Where to start: a model folder, or a hub id."""
    output: str
    """The model folder to make; must not exist, unless this very fit made it."""
    selection: Selection = field(default_factory=Selection)
    """Which turns are learned from, and with which history."""
    weights: Scheme = "exp"
    """How a reward becomes a weight: exp, exp_per_turn, exp_per_problem, binary or uniform."""
    tau: float = 0.4
    """Temperature of the exponential weights, in units of reward."""
    max_weight: float = 1e6
    """Cap of the exponential weights."""
    mean_weight_one: bool = True
    """Divide all weights by their mean. AdamW's steps stay the same; loss and gradient clipping keep the
    scale of an unweighted fit."""
    normalize: Literal["token", "reply"] = "token"
    """Whether the loss of a step is a mean over tokens or over replies (the released code)."""
    layout: Literal["auto", "per_turn"] = "auto"
    """One sequence per trajectory wherever its tokens allow it, or one per turn. Changes speed only."""
    think: Literal["keep", "drop"] = "keep"
    """What to do with `<think>` blocks of replies."""
    template_options: Mapping[str, Any] = field(default_factory=dict)
    """For the chat template, for example {"enable_thinking": false}."""
    max_length: int = 2048
    """Of a sequence, in tokens. Longer ones lose their oldest turns, never a reply."""
    epochs: float = 2.0
    learning_rate: float = 1e-5
    batch_size: int = 64
    """Sequences per optimizer step, over all ranks."""
    micro_batch_size: int = 4
    """Sequences per forward pass of one rank. Changes speed and memory, never the result."""
    packed: bool = False
    """Lay the sequences of a forward pass end to end instead of padding them; wants flash attention."""
    warmup: float = 0.04
    """Fraction of the steps over which the learning rate rises."""
    scheduler: str = "cosine"
    """As transformers names them: cosine, linear, constant_with_warmup, ..."""
    weight_decay: float = 0.0
    max_grad_norm: float = 1.0
    """Longer gradients are scaled to this norm; 0 leaves them."""
    dtype: Literal["float32", "bfloat16"] = "float32"
    gradient_checkpointing: bool = False
    """Trade time for memory: keep no activations of the layers."""
    attention: str | None = None
    """As transformers names them: sdpa, eager, flash_attention_2, ...; None lets it choose."""
    zero_stage: Literal[0, 1, 2, 3] = 1
    """Of DeepSpeed: 1 shards optimizer states, 2 gradients as well, 3 parameters as well; 0 nothing."""
    deepspeed: str | None = None
    """A DeepSpeed configuration of your own (JSON); replaces `zero_stage`."""
    ranks: int = 1
    """Processes on this machine, one per device."""
    threads: int | None = None
    """CPU threads per rank; None: cores / ranks, or OMP_NUM_THREADS where that is smaller."""
    hostfile: str | None = None
    """DeepSpeed hostfile for several machines; `ranks` is then the number per machine."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    seed: int = 0
    log_every: int = 1
    """Optimizer steps between lines of metrics."""
    save_every: int = 100
    """Optimizer steps between checkpoints."""
    keep_checkpoints: int = 2

    def __post_init__(self) -> None:
        for name in ("batch_size", "micro_batch_size", "ranks", "max_length", "log_every", "save_every"):
            if getattr(self, name) < 1:
                raise ConfigError(f"{name} must be at least 1, got {getattr(self, name)}")
        for name in ("tau", "max_weight", "epochs", "learning_rate"):
            if not getattr(self, name) > 0:
                raise ConfigError(f"{name} must be positive, got {getattr(self, name)}")
        if self.hostfile is None and self.batch_size % (self.micro_batch_size * self.ranks):
            raise ConfigError(
                "batch_size must be a multiple of micro_batch_size * ranks, got "
                f"{self.batch_size} and {self.micro_batch_size} * {self.ranks}"
            )
        if not 0 <= self.warmup < 1:
            raise ConfigError(f"warmup is a fraction of the steps in [0, 1), got {self.warmup}")
        if self.keep_checkpoints < 2:
            raise ConfigError(f"keep_checkpoints must be at least 2, got {self.keep_checkpoints}")
        if self.weights not in get_args(Scheme):
            raise ConfigError(f"no weight scheme {self.weights!r}; there are: {', '.join(get_args(Scheme))}")
        if not self.data:
            raise ConfigError("data names no store of trajectories")


def to_json(config: FitConfig) -> dict[str, Any]:
    """Return the settings as JSON values."""
    values: dict[str, Any] = json.loads(json.dumps(dataclasses.asdict(config)))
    return values


def from_json(values: Mapping[str, Any]) -> FitConfig:
    """Read what `to_json` gave."""
    fields = dict(values)
    fields["data"] = tuple(fields["data"])
    fields["selection"] = Selection(**fields["selection"])
    return FitConfig(**fields)


def partial_folder(output: str | Path) -> Path:
    """Return where the state of an unfinished fit is."""
    output = Path(output)
    return output.with_name(output.name + ".partial")


def metrics_path(output: str | Path) -> Path:
    """Return where the metrics of a fit are now: in its output once complete, else in the partial folder."""
    done = Path(output) / METRICS
    return done if done.exists() else partial_folder(output) / METRICS


def launch_fit(config: FitConfig, *, progress: Callable[[dict[str, Any]], None] | None = None) -> None:
    """Fit in processes of their own, and wait for them.

    Returns at once when this very fit is complete; goes on where a killed one stopped.

    Args:
        config: The fit.
        progress: Called with each line of metrics as it is written: {"kind": "step", "step", "total", "loss",
            "grad_norm", "learning_rate", "tokens_per_s", "seconds_left", ...}.

    Raises:
        ConfigError: The settings contradict, or the output folder is another fit's.
        DataNotFoundError: A store or the model is not there.
        TrainingError: The processes failed; names the log.
    """
    from rise_trainers.launch import run_launcher

    check_inputs(config)
    output, partial = Path(config.output), partial_folder(config.output)
    if output.exists():
        _check_same(config, output)
        return
    if (partial / SETTINGS).exists():
        _check_same(config, partial)
    partial.mkdir(parents=True, exist_ok=True)
    settings = partial / (SETTINGS + ".new")
    settings.write_text(json.dumps(to_json(config), indent=2) + "\n")
    settings.replace(partial / SETTINGS)
    if not (partial / MODEL).exists():
        run_launcher(config, partial, progress=progress)
    _finish(partial, output)


def _finish(partial: Path, output: Path) -> None:
    """Make the output folder appear: one rename, then the state of the fit is no longer needed."""
    for name in (METRICS, SETTINGS):
        shutil.copyfile(partial / name, partial / MODEL / name)
    output.parent.mkdir(parents=True, exist_ok=True)
    (partial / MODEL).rename(output)
    shutil.rmtree(partial)


def check_inputs(config: FitConfig) -> None:
    """Raise DataNotFoundError where a store, a model folder or a DeepSpeed file is missing."""
    for store in config.data:
        if not Path(store).is_file():
            raise DataNotFoundError(f"no store of trajectories at {store}: collect one with `rise collect`")
    model = Path(config.model)
    looks_local = model.is_absolute() or config.model.startswith((".", "~")) or len(model.parts) > 2
    if looks_local and not (model / "config.json").is_file():
        raise DataNotFoundError(f"no model at {config.model}: a model folder has a config.json")
    for path in (config.deepspeed, config.hostfile):
        if path is not None and not Path(path).is_file():
            raise DataNotFoundError(f"no file at {path}")


def _check_same(config: FitConfig, folder: Path) -> None:
    """Raise ConfigError unless `folder` is of a fit with these settings."""
    try:
        found = json.loads((folder / SETTINGS).read_text())
    except (OSError, ValueError):
        raise ConfigError(f"{folder} exists and is no fit of ours: choose another output") from None
    mine = to_json(config)
    changed = sorted(name for name in mine if found.get(name) != mine[name] and name not in _FREE)
    if changed:
        raise ConfigError(
            f"{folder} was made with other settings ({', '.join(changed)}): choose another output"
        )


_FREE = frozenset({"threads", "log_every", "keep_checkpoints", "output", "save_every"})
"""Settings that may change when a fit is continued."""


def main(argv: list[str]) -> int:
    """Run the command line; see the head of this file."""
    from rise_env.command_line import parse
    from rise_trainers.progress import FitProgress

    config = parse(FitConfig, argv, prog="rise fit", repeated=("data",))
    check_inputs(config)
    with FitProgress() as display:
        launch_fit(config, progress=display.update)
    print(config.output)
    return 0
