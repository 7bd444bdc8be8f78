"""The settings of a memory."""

from dataclasses import dataclass
from typing import Literal

from rise_env.errors import ConfigError

Policy = Literal["ebbinghaus", "lru", "fifo", "all", "none"]


@dataclass(frozen=True, slots=True, kw_only=True)
class MemorySettings:
    """How a memory is kept (`--method memory`). All numbers are ours; SAGE prints none.

    Raises:
        ConfigError: A value is out of range, or contradicts another one.
    """

    policy: Policy = "ebbinghaus"
    """What goes when the memory is full: the item that is retained least (ebbinghaus), that was not used for
    the longest time (lru), the oldest one (fifo), or nothing (all); none keeps nothing at all."""
    capacity: int = 200
    """Most items; all has no limit."""
    strength: float = 20.0
    """Strength of a new item, in problems."""
    rho: float = 2.0
    """What a use with success multiplies the strength with; 1 leaves it."""
    strength_most: float = 40.0
    """Largest strength that uses give. It makes room for new items where the problems change."""
    rehearse: bool = True
    """Whether a use with success counts; false is the curve alone."""
    on_failure: Literal["keep", "weaken"] = "keep"
    """Whether a use without success divides the strength by rho."""
    theta1: float = 0.6
    """Retention from which on an item is short-term."""
    theta2: float = 0.05
    """Retention below which an item is forgotten (ebbinghaus)."""
    generation: int = 32
    """Problems that are played with one state of the memory; 1 is the paper's strict order."""
    reflect: Literal["failures", "all"] = "failures"
    """Which episodes are reflected on."""
    told_verdict: bool = True
    """Whether the reflector is told whether an episode is right. Otherwise it reflects on all episodes, and
    every use of an item counts as one with success."""
    words: int = 100
    """Most words of a reflection; a longer one is cut."""
    compress: bool = False
    """Whether the reflector writes each reflection again in fewer words, with one more call."""
    compressed: float = 2.0
    """What compression multiplies the strength of a new item with."""

    def __post_init__(self) -> None:
        if not 0 <= self.theta2 < self.theta1 <= 1:
            raise ConfigError(
                f"need 0 <= memory.theta2 < memory.theta1 <= 1, got {self.theta2} and {self.theta1}"
            )
        if self.strength <= 0 or self.rho < 1:
            raise ConfigError(
                f"need memory.strength > 0 and memory.rho >= 1, got {self.strength} and {self.rho}"
            )
        if self.compressed < 1:
            raise ConfigError(f"memory.compressed must be at least 1, got {self.compressed}")
        if self.strength_most < self.strength:
            raise ConfigError(
                f"memory.strength_most is {self.strength_most}, below memory.strength, {self.strength}"
            )
        if self.capacity < 1:
            raise ConfigError(
                f"memory.capacity must be at least 1, got {self.capacity}: memory.policy none leaves the "
                "memory out"
            )
        if self.generation < 1 or self.words < 1:
            raise ConfigError(
                "memory.generation and memory.words must be at least 1, got "
                f"{self.generation} and {self.words}"
            )
