"""Starts Ray on the machines of a run, which then are one cluster."""

import time
from typing import Any

from rise_agents.engines.ray_pool import import_ray
from rise_env.errors import AgentError

ADDRESS_VARIABLE = "RAY_ADDRESS"
"""Environment variable of Ray with the address of the cluster to join."""
START_TIMEOUT_S = 300.0
"""Seconds that the machines may take to join the cluster."""
_MODULE = "ray.scripts.scripts"
_OPTIONS = ["--block", "--disable-usage-stats", "--object-store-memory", str(1 << 30)]
"""The node ends with its process. Its store of objects holds trajectories only, so one GiB is enough."""


def head_command(port: int) -> list[str]:
    """Return the module and the arguments that start the first node of a cluster."""
    return [_MODULE, "start", "--head", "--port", str(port), "--include-dashboard", "false", *_OPTIONS]


def node_command(address: str) -> list[str]:
    """Return the module and the arguments that start another node of the cluster at `address`."""
    return [_MODULE, "start", "--address", address, *_OPTIONS]


def wait_for_nodes(address: str, count: int, timeout_s: float = START_TIMEOUT_S) -> None:
    """Wait until a cluster has `count` nodes.

    Raises:
        MissingDependencyError: Ray is not installed.
        AgentError: The cluster has fewer nodes after `timeout_s` seconds.
    """
    ray = import_ray()
    deadline = time.monotonic() + timeout_s
    found = 0
    while found < count:
        if time.monotonic() > deadline:
            raise AgentError(
                f"{found} of {count} machines joined the Ray cluster at {address} within {timeout_s:.0f} s"
            )
        found = _nodes(ray, address)
        time.sleep(0.5)


def _nodes(ray: Any, address: str) -> int:
    """Return the number of nodes of a cluster; 0 if it does not answer yet."""
    try:
        ray.init(address=address, log_to_driver=False)
    except Exception:  # Ray raises bare exceptions while the first node starts
        return 0
    try:
        return sum(bool(node["Alive"]) for node in ray.nodes())
    finally:
        ray.shutdown()
