"""Worlds: the same command started as several processes by torchrun, by srun, or by hand.

The first process of a world does the work of the command. The others wait for its fits and run their ranks
of them. Which process is which is read from environment variables: those of PyTorch (RANK, WORLD_SIZE,
LOCAL_RANK, MASTER_ADDR, MASTER_PORT), or those of a Slurm job step (SLURM_PROCID, SLURM_STEP_NUM_TASKS,
SLURM_LOCALID, SLURM_STEP_NODELIST). This module does not import torch.

Sources: `torch.distributed.run` and the manual of srun for the variables.
"""

import dataclasses
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

from rise_env.errors import ConfigError

PHASE_VARIABLE = "RISE_WORLD"
"""Environment variable with which the first process of a run passes its world to the process of a fit."""
_OF_TORCH = frozenset(
    {"RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT"}
    | {"GROUP_RANK", "GROUP_WORLD_SIZE", "ROLE_NAME", "ROLE_RANK", "ROLE_WORLD_SIZE", PHASE_VARIABLE}
)
_FIRST_PORT, _PORTS = 20_000, 20_000
"""The range of the ports of Slurm job steps."""


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """One process of a world."""

    rank: int
    """Number of this process, from 0."""
    size: int
    """Number of processes."""
    local_rank: int = 0
    """Number of this process on its machine."""
    local_size: int = 1
    """Number of processes on this machine."""
    master_addr: str
    """Address of the machine of the first process."""
    master_port: int
    """Port on which the processes meet."""
    attempt: int = 0
    """How often torchrun has restarted the processes."""
    hosted: bool = False
    """Whether torchrun listens on the port; otherwise the first process does."""


def world_of(variables: Mapping[str, str]) -> World | None:
    """Return the world of this process, or None if it was started alone.

    Args:
        variables: Environment variables of the process.

    Raises:
        ConfigError: A variable of the world is missing or malformed.
    """
    if PHASE_VARIABLE in variables:
        return World(**json.loads(variables[PHASE_VARIABLE]))
    if "RANK" in variables and "WORLD_SIZE" in variables:
        world = _of_torch(variables)
    elif "SLURM_PROCID" in variables and "SLURM_STEP_NUM_TASKS" in variables:
        # a batch script has the number of tasks of its job, but only a process of srun that of its step
        world = _of_slurm(variables)
    else:
        return None
    if not 0 <= world.rank < world.size:
        raise ConfigError(f"this process is number {world.rank} of a world of {world.size}: correct RANK")
    return world if world.size > 1 else None


def without_world(variables: Mapping[str, str]) -> dict[str, str]:
    """Return environment variables without those that make a process a part of a PyTorch world."""
    return {
        name: value
        for name, value in variables.items()
        if name not in _OF_TORCH and not name.startswith("TORCHELASTIC_")
    }


def phase_variables(world: World | None) -> dict[str, str]:
    """Return the variables that pass the world of a run on to the process of a fit."""
    return {} if world is None else {PHASE_VARIABLE: json.dumps(dataclasses.asdict(world))}


def _of_torch(variables: Mapping[str, str]) -> World:
    missing = [name for name in ("MASTER_ADDR", "MASTER_PORT") if not variables.get(name)]
    if missing and _number(variables, "WORLD_SIZE") > 1:
        raise ConfigError(
            f"RANK and WORLD_SIZE are set, but {' and '.join(missing)} are not: set them to the address of "
            "the first machine and a free port on it, or unset RANK and WORLD_SIZE"
        )
    return World(
        rank=_number(variables, "RANK"),
        size=_number(variables, "WORLD_SIZE"),
        local_rank=_number(variables, "LOCAL_RANK", 0),
        local_size=_number(variables, "LOCAL_WORLD_SIZE", 1),
        master_addr=variables.get("MASTER_ADDR", ""),
        master_port=_number(variables, "MASTER_PORT", 0),
        attempt=_number(variables, "TORCHELASTIC_RESTART_COUNT", 0),
        hosted=variables.get("TORCHELASTIC_USE_AGENT_STORE") == "True",
    )


def _of_slurm(variables: Mapping[str, str]) -> World:
    nodes = variables.get("SLURM_STEP_NODELIST") or variables.get("SLURM_NODELIST") or "127.0.0.1"
    job, step = _number(variables, "SLURM_JOB_ID", 0), _number(variables, "SLURM_STEP_ID", 0)
    port = _FIRST_PORT + (job * 31 + step) % _PORTS
    return World(
        rank=_number(variables, "SLURM_PROCID"),
        size=_number(variables, "SLURM_STEP_NUM_TASKS"),
        local_rank=_number(variables, "SLURM_LOCALID", 0),
        local_size=tasks_of_node(variables.get("SLURM_STEP_TASKS_PER_NODE", "1"), variables),
        master_addr=variables.get("MASTER_ADDR") or first_node(nodes),
        master_port=_number(variables, "MASTER_PORT", port),
        attempt=_number(variables, "SLURM_RESTART_COUNT", 0),
    )


def first_node(nodes: str) -> str:
    """Return the first name of a list of nodes in the notation of Slurm.

    >>> first_node("gpu[07-09,12],login1"), first_node("a1,a2"), first_node("rack[2-3]-n[1,5]")
    ('gpu07', 'a1', 'rack2-n1')
    """
    first = re.match(r"(?:[^,\[]|\[[^]]*\])*", nodes)
    return re.sub(r"\[([^],-]*)[^]]*\]", r"\1", first[0] if first else nodes)


def tasks_of_node(counts: str, variables: Mapping[str, str]) -> int:
    """Return the number of tasks on this node from a list in the notation of Slurm.

    >>> tasks_of_node("8(x2),4", {"SLURM_NODEID": "1"}), tasks_of_node("8(x2),4", {"SLURM_NODEID": "2"})
    (8, 4)
    """
    expanded: list[int] = []
    for count, times in re.findall(r"(\d+)(?:\(x(\d+)\))?", counts):
        expanded += [int(count)] * int(times or 1)
    node = _number(variables, "SLURM_NODEID", 0)
    return expanded[node] if node < len(expanded) else 1


def _number(variables: Mapping[str, str], name: str, default: int | None = None) -> int:
    text = variables.get(name, "" if default is None else str(default))
    if not text.isdecimal():
        raise ConfigError(f"the environment variable {name} must be a number, got {text!r}")
    return int(text)
