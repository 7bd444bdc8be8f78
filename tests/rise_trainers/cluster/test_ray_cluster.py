"""When a run starts a Ray cluster; needs no Ray."""

import pytest

from rise_trainers.cluster.environment import free_port
from rise_trainers.cluster.ray_cluster import join, ray_cluster
from rise_trainers.cluster.rendezvous import Rendezvous
from rise_trainers.cluster.world import World


@pytest.fixture
def rendezvous() -> Rendezvous:
    world = World(rank=0, size=2, master_addr="127.0.0.1", master_port=free_port(), local_rank=1)
    return Rendezvous(world, host=True)


def test_a_run_without_workers_or_world_starts_none(rendezvous: Rendezvous) -> None:
    with ray_cluster("", rendezvous) as variables:
        assert variables == {}
    with ray_cluster("ray:2", None) as variables:
        assert variables == {}


def test_a_cluster_that_exists_is_joined(rendezvous: Rendezvous, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_ADDRESS", "10.0.0.7:6379")
    with ray_cluster("ray:2", rendezvous) as variables:
        assert variables == {}
    assert rendezvous.announced(1) is None


def test_one_process_per_machine_joins(rendezvous: Rendezvous) -> None:
    assert join(rendezvous, {"ray": "10.0.0.7:6379", "token": "x"}) is None
    assert rendezvous.machines() == 0
