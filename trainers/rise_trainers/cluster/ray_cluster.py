"""One Ray cluster on the machines of a world, in which the collections and evaluations of a run play."""

import os
import secrets
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from rise_agents.engines.ray_nodes import ADDRESS_VARIABLE, head_command, node_command, wait_for_nodes
from rise_trainers.cluster.environment import free_port
from rise_trainers.cluster.rendezvous import Rendezvous
from rise_trainers.cluster.world import without_world
from rise_trainers.utils import parent_death
from rise_trainers.utils.processes import terminate

TOKEN_VARIABLE = "RAY_AUTH_TOKEN"
"""Environment variable of Ray with the token of its cluster."""
TASK = "ray"
"""Key of the announcement with the address of the cluster; other announcements are fits."""


@contextmanager
def ray_cluster(workers: str, rendezvous: Rendezvous | None) -> Iterator[dict[str, str]]:
    """Start Ray on the machines of a world, and end it afterwards.

    Args:
        workers: The setting `workers` of the run.
        rendezvous: The rendezvous of the first process of the world; None if there is no world.

    Yields:
        The environment variables with which phases join the cluster. They are empty without workers, without
        a world, and where RAY_ADDRESS names a cluster already.

    Raises:
        MissingDependencyError: Ray is not installed.
        AgentError: A machine did not join.
    """
    if not workers or rendezvous is None or ADDRESS_VARIABLE in os.environ:
        yield {}
        return
    port = free_port()
    address = f"{rendezvous.world.master_addr}:{port}"
    # whoever can reach a cluster without a token can run programs on it
    os.environ.setdefault("RAY_AUTH_MODE", "token")
    os.environ.setdefault(TOKEN_VARIABLE, secrets.token_hex(32))
    head = start_node(head_command(port))
    try:
        wait_for_nodes(address, 1)
        number = rendezvous.announce({TASK: address, "token": os.environ[TOKEN_VARIABLE]})
        rendezvous.wait_until_all_ended(number)
        wait_for_nodes(address, 1 + rendezvous.machines())
        yield {ADDRESS_VARIABLE: address}
    finally:
        terminate(head)


def join(rendezvous: Rendezvous, task: Mapping[str, str]) -> "subprocess.Popen[bytes] | None":
    """Start Ray on the machine of another process of the world, once per machine.

    Args:
        rendezvous: The rendezvous of this process.
        task: What the first process announced.
    """
    if rendezvous.world.local_rank:
        return None
    os.environ.setdefault("RAY_AUTH_MODE", "token")
    os.environ.setdefault(TOKEN_VARIABLE, task["token"])
    rendezvous.add_machine()
    return start_node(node_command(task[TASK]))


def start_node(command: list[str]) -> "subprocess.Popen[bytes]":
    """Start a node of Ray, which ends with this process."""
    variables = {**without_world(os.environ), parent_death.PARENT_PID_VARIABLE: str(os.getpid())}
    return subprocess.Popen(
        [sys.executable, "-m", "rise_trainers.utils.parent_death", *command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        env=variables,
    )
