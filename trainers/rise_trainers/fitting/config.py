"""The settings of one fit. This module imports neither torch nor transformers."""

import dataclasses
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from rise_agents.chat.chat_settings import Thinking
from rise_env.errors import ConfigError
from rise_env.utils.settings import ByContent, Changeable, build
from rise_env.utils.suggestions import did_you_mean
from rise_trainers.data.chat_format import GivenChat, chat_settings
from rise_trainers.data.encoding import Think
from rise_trainers.data.signals import Signal
from rise_trainers.data.targets import Selection
from rise_trainers.data.weights import Weighting, check_weighting
from rise_trainers.fitting.paths import model_path

Schedule = Literal[
    "linear",
    "cosine",
    "cosine_with_restarts",
    "polynomial",
    "constant",
    "constant_with_warmup",
    "inverse_sqrt",
]
"""The learning rate schedules of transformers that need no further arguments."""
ATTENTION = ("eager", "sdpa", "flash_attention_2", "flash_attention_3", "flash_attention_4", "flex_attention")
"""The attention implementations of transformers. A name with "/" is a kernel of the hub."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoraSettings:
    """Training of low-rank adapters instead of all weights (Hu et al. 2021, arXiv:2106.09685)."""

    rank: int = 16
    """Rank of the adapters."""
    alpha: float = 32.0
    """The adapter's output is scaled by alpha / rank."""
    dropout: float = 0.0
    """Dropout probability on the inputs of the adapters."""
    targets: tuple[str, ...] = ("all-linear",)
    """Names of the layers that get adapters; "all-linear" is every linear layer but the output layer."""
    merge: bool = True
    """Save a complete model with the adapters merged into its weights; False saves the adapters alone."""
    bits: Literal[4, 8] | None = None
    """Load the frozen weights quantised (QLoRA, arXiv:2305.14314); needs bitsandbytes."""

    def __post_init__(self) -> None:
        if self.rank < 1:
            raise ConfigError(f"lora.rank must be at least 1, got {self.rank}")
        if not 0 < self.alpha < math.inf:
            raise ConfigError(f"lora.alpha must be a positive number, got {self.alpha}")
        if not 0 <= self.dropout < 1:
            raise ConfigError(f"lora.dropout must be a probability in [0, 1), got {self.dropout}")
        if not self.targets:
            raise ConfigError('lora.targets is empty: name layers, or "all-linear" for every linear layer')


@dataclass(frozen=True, slots=True, kw_only=True)
class FitConfig:
    """One fit: which replies to train, how much each counts, and how to train."""

    data: ByContent[tuple[str, ...]]
    """Stores of trajectories; the fit trains on all of them."""
    model: ByContent[str]
    """The model to start from: a model folder, a hub id, or an embedded model, "tiny" or "tiny-notes"."""
    revision: str | None = None
    """Branch, tag or commit of the hub repository of the model; None is its main branch."""
    adapter: ByContent[str | None] = None
    """Folder of a LoRA adapter that is merged into the model before the fit; None is the model alone."""
    output: Changeable[str]
    """The folder of the fitted model; it must not exist, unless the same fit wrote it."""
    selection: Selection = field(default_factory=Selection)
    """Which turns are trained, and with which history."""
    signal: Signal = "reward"
    """The reward of a reply: reward (of the environment) or score (what the agent or its critic said of it,
    without the reference; no verdict is read)."""
    weights: Weighting = "exp"
    """How a reward becomes a weight; `rise_trainers.data.weights` says what each does."""
    tau: float = 0.4
    """Temperature of the exponential weights, in units of reward."""
    max_weight: float = 1e6
    """Cap of the exponential weights."""
    negative_weights: bool = False
    """Keep the negative weights of `centred_exp`, which make replies less likely; False makes them 0."""
    kl_penalty: float = 0.0
    """Factor of a penalty for moving away from the first model: an estimate of the KL divergence per trained
    token, or per reply with `normalize` reply, is added to the loss. It costs one more pass over the data."""
    mean_weight_one: bool = True
    """Divide all weights by their mean magnitude. Loss and gradient clipping then have the scale of an
    unweighted fit; the steps of AdamW do not change."""
    normalize: Literal["token", "reply"] = "token"
    """Whether the loss of a step is a mean over tokens or over replies (the released code)."""
    layout: Changeable[Literal["auto", "per_turn"]] = "auto"
    """One sequence per trajectory where its tokens allow it, or one per turn. Changes speed only."""
    think: Think = "keep"
    """Whether what the model thought before a reply is trained ("keep"), kept and not trained ("mask"), or
    removed from replies and history ("drop")."""
    chat_template: ByContent[str | None] = None
    """Path of a Jinja file; None is the chat template with which the replies were played."""
    template_options: Mapping[str, Any] | None = None
    """Arguments of the chat template, for example {"enable_thinking": false}; None is those of play."""
    thinking: Thinking | None = None
    """Whether prompts show thoughts of earlier turns: template, show or hide; None is as at play."""
    date: str | None = None
    """The date for templates that write one, as YYYY-MM-DD; None is that of play."""
    allow_format_change: bool = False
    """Train also where the settings above, or the files of the model, differ from those of play."""
    max_length: int = 2048
    """The largest length of a sequence, in tokens. Longer ones lose their oldest turns, never a reply."""
    epochs: float = 2.0
    """Number of passes over the data; it may be a fraction."""
    learning_rate: float = 1e-5
    """Highest learning rate, after the warm-up."""
    batch_size: int = 64
    """The largest number of replies per optimizer step, over all ranks. All replies of a trajectory are in
    one step, also if they are more than that."""
    micro_batch_size: Changeable[int] = 4
    """Sequences per forward pass of one rank. Changes speed and memory, never the result."""
    packed: Changeable[bool] = False
    """Concatenate the sequences of a forward pass instead of padding them; fast with flash attention only.
    A model that does not keep the sequences apart is refused."""
    warmup: float = 0.04
    """Fraction of the steps over which the learning rate rises."""
    scheduler: Schedule = "cosine"
    """Learning rate schedule of transformers."""
    weight_decay: float = 0.0
    """Weight decay of AdamW."""
    max_grad_norm: float = 1.0
    """Gradients with a larger norm are scaled to this norm; 0 never scales."""
    dtype: Literal["float32", "bfloat16"] = "float32"
    """Number format of the weights in the forward and backward pass."""
    grad_accum_dtype: Literal["float32", "bfloat16"] = "float32"
    """Number format in which a bfloat16 fit adds up the gradients of the forward passes of a step; float32
    needs zero_stage 1, 2 or 3."""
    gradient_checkpointing: Changeable[bool] = False
    """Recompute the activations of the layers in the backward pass: needs less memory and more time."""
    attention: Changeable[str | None] = None
    """Attention implementation of transformers: sdpa, eager, flash_attention_2, ...; None lets it choose."""
    zero_stage: Changeable[Literal[0, 1, 2, 3]] = 1
    """Stage of ZeRO: 1 shards optimizer states, 2 also gradients, 3 also parameters; 0 shards nothing."""
    offload: Changeable[bool] = False
    """Keep optimizer states, in stage 3 also parameters, in CPU memory; needs stage 2 or 3."""
    deepspeed: ByContent[str | None] = None
    """A DeepSpeed configuration of your own (JSON); replaces `zero_stage` and `offload`."""
    lora: LoraSettings | None = None
    """Train adapters only; None trains all weights."""
    cache: Changeable[bool] = True
    """Cache the token ids in a file next to the first store, for the next fit on the same turns."""
    ranks: Changeable[int] = 1
    """Processes on this machine, one per device, on the first devices of CUDA_VISIBLE_DEVICES."""
    threads: Changeable[int | None] = None
    """CPU threads per rank; None is cores / ranks, or OMP_NUM_THREADS where that is smaller."""
    hostfile: Changeable[str | None] = None
    """DeepSpeed hostfile for several machines; `ranks` is then the number per machine."""
    launcher: Changeable[Literal["pdsh", "openmpi", "mpich", "impi", "mvapich"]] = "pdsh"
    """The program with which DeepSpeed starts ranks on the machines of the hostfile."""
    master_addr: Changeable[str | None] = None
    """Address of the first machine for the communication between the ranks; None lets DeepSpeed ask the first
    machine of the hostfile, and is the address of the world that torchrun or srun started."""
    master_port: Changeable[int | None] = None
    """TCP port for the communication between the ranks, on the first machine; None takes a free one."""
    device: Changeable[Literal["auto", "cpu", "cuda"]] = "auto"
    """Where to train; auto is the GPUs if there are any, else the CPU."""
    seed: int = 0
    """Seed of the order of the data and of dropout."""
    log_every: Changeable[int] = 1
    """Optimizer steps between lines of metrics."""
    policy_sequences: Changeable[int] = 64
    """Sequences on which sampler, first and fitted model are compared before and after the fit: differences
    of log-probabilities, KL divergence, entropy per turn. 0 compares nothing."""
    save_every: Changeable[int] = 100
    """Optimizer steps between checkpoints."""
    keep_checkpoints: Changeable[int] = 2
    """Number of checkpoints that are kept; at least 2, so that one is complete while another is written."""
    report_to: Changeable[tuple[Literal["tensorboard", "wandb", "mlflow", "trackio"], ...]] = ()
    """Trackers of transformers that the fit also logs to. TensorBoard writes to OUTPUT/runs, W&B to
    OUTPUT/wandb, MLflow and Trackio where their own settings say."""

    def __post_init__(self) -> None:
        for name in ("batch_size", "micro_batch_size", "ranks", "max_length", "log_every", "save_every"):
            if getattr(self, name) < 1:
                raise ConfigError(f"{name} must be at least 1, got {getattr(self, name)}")
        if self.threads is not None and self.threads < 1:
            raise ConfigError(f"threads must be at least 1, got {self.threads}")
        for name in ("tau", "max_weight", "epochs", "learning_rate"):
            if not getattr(self, name) > 0:
                raise ConfigError(f"{name} must be positive, got {getattr(self, name)}")
        for name in ("kl_penalty", "policy_sequences", "weight_decay", "max_grad_norm"):
            if not getattr(self, name) >= 0:
                raise ConfigError(f"{name} must be at least 0, got {getattr(self, name)}")
        for name in ("tau", "epochs", "learning_rate", "kl_penalty", "weight_decay", "max_grad_norm"):
            if math.isinf(getattr(self, name)):
                raise ConfigError(f"{name} must be a finite number, got {getattr(self, name)}")
        if not 0 <= self.seed < 2**32:
            raise ConfigError(f"seed must be at least 0 and below 2**32, got {self.seed}")
        if self.attention is not None and self.attention not in ATTENTION and "/" not in self.attention:
            raise ConfigError(
                f"attention is {self.attention!r}, which transformers does not have; "
                f"{did_you_mean(self.attention, ATTENTION)}"
            )
        if not 0 <= self.warmup < 1:
            raise ConfigError(f"warmup must be a fraction of the steps in [0, 1), got {self.warmup}")
        if self.keep_checkpoints < 2:
            raise ConfigError(f"keep_checkpoints must be at least 2, got {self.keep_checkpoints}")
        check_weighting(self.weights, negative_weights=self.negative_weights)
        if self.master_port is not None and not 0 < self.master_port < 1 << 16:
            raise ConfigError(f"master_port must be from 1 to 65535, got {self.master_port}")
        if self.offload and self.zero_stage < 2:
            raise ConfigError(f"offload needs zero_stage 2 or 3, got {self.zero_stage}")
        if self.lora is not None and self.lora.bits is not None and self.zero_stage == 3:
            raise ConfigError("lora.bits needs zero_stage 0, 1 or 2: stage 3 cannot shard quantised weights")
        if (
            (self.dtype, self.grad_accum_dtype) == ("bfloat16", "float32")
            and self.zero_stage == 0
            and self.deepspeed is None
        ):
            raise ConfigError(
                "grad_accum_dtype float32 needs zero_stage 1, 2 or 3 with dtype bfloat16, got zero_stage 0: "
                "set zero_stage to 1, or grad_accum_dtype to bfloat16"
            )
        if self.adapter is not None and self.zero_stage == 3:
            raise ConfigError(
                "adapter needs zero_stage 0, 1 or 2: stage 3 cannot merge it into sharded weights"
            )
        if self.adapter is not None and self.lora is not None and not self.lora.merge:
            raise ConfigError(
                "adapter needs lora.merge true: the saved adapter would need the first one as well"
            )
        if not self.data:
            raise ConfigError("data is empty: name at least one store of trajectories")
        chat_settings(given_chat(self), None)  # raises for a wrong date, and for options that RISE sets


def given_chat(config: FitConfig) -> GivenChat:
    """Return what the settings say about conversations."""
    names = (field.name for field in dataclasses.fields(GivenChat) if field.name != "model")
    return GivenChat(model=model_path(config.model), **{name: getattr(config, name) for name in names})


def to_json(config: FitConfig) -> dict[str, Any]:
    """Return the settings as JSON values."""
    values: dict[str, Any] = json.loads(json.dumps(dataclasses.asdict(config)))
    return values


def from_json(values: Mapping[str, Any]) -> FitConfig:
    """Return the settings from the values that `to_json` returned."""
    return build(FitConfig, values)
