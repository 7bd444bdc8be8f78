"""Which ranks and devices a process of a world has; needs no GPU."""

from pathlib import Path

import pytest

from rise_env.errors import ConfigError
from rise_trainers.cluster.checks import check_devices
from rise_trainers.cluster.local_ranks import environments, local_devices
from rise_trainers.cluster.world import World
from tests.rise_trainers.cluster.settings import settings


def process(rank: int, size: int = 16, local_rank: int | None = None) -> World:
    local = rank % 8 if local_rank is None else local_rank
    return World(rank=rank, size=size, local_rank=local, local_size=8, master_addr="gpu07", master_port=1)


def devices(world: World, visible: str | None, ranks: int = 1) -> list[int]:
    variables = {} if visible is None else {"CUDA_VISIBLE_DEVICES": visible}
    return local_devices(settings(ranks=ranks), world, variables)


def test_processes_that_see_the_same_devices_take_one_each() -> None:
    assert [devices(process(rank), None) for rank in (0, 7, 8, 9)] == [[0], [7], [0], [1]]
    assert [devices(process(rank), "4,5,6,7") for rank in (0, 3)] == [[0], [3]]


def test_a_process_that_sees_only_its_own_device_takes_it() -> None:
    assert devices(process(5), "GPU-5f") == [0]
    assert devices(process(5), "MIG-5f") == [0]


def test_one_process_per_machine_takes_all_devices() -> None:
    assert devices(process(1, size=2, local_rank=0), "0,1,2,3,4,5,6,7", ranks=8) == list(range(8))


def test_too_few_visible_devices_are_refused() -> None:
    with pytest.raises(ConfigError, match="CUDA_VISIBLE_DEVICES is '0,1' and this is process 2"):
        devices(process(2), "0,1")


def test_each_rank_is_told_its_place_in_the_world(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    two = environments(settings(ranks=4), process(1, size=2, local_rank=0), ("10.0.0.7", 4321))
    assert [rank["RANK"] for rank in two] == ["4", "5", "6", "7"]
    assert [rank["LOCAL_RANK"] for rank in two] == ["0", "1", "2", "3"]
    assert {(rank["WORLD_SIZE"], rank["MASTER_ADDR"], rank["MASTER_PORT"]) for rank in two} == {
        ("8", "10.0.0.7", "4321")
    }


def test_ranks_on_the_cpu_see_no_gpu() -> None:
    assert environments(settings(device="cpu"), process(0), ("", 1))[0]["CUDA_VISIBLE_DEVICES"] == "-1"


def test_a_hostfile_is_refused_in_a_world(tmp_path: Path) -> None:
    started = {"RANK": "0", "WORLD_SIZE": "2", "MASTER_ADDR": "a", "MASTER_PORT": "1"}
    with pytest.raises(ConfigError, match="started as 2 processes"):
        check_devices(settings(hostfile="hosts"), started)


def test_the_devices_of_a_process_of_a_world_are_checked() -> None:
    started = {"RANK": "3", "LOCAL_RANK": "3", "WORLD_SIZE": "4", "MASTER_ADDR": "a", "MASTER_PORT": "1"}
    check_devices(settings(), {**started, "CUDA_VISIBLE_DEVICES": "4,5,6,7"})
    with pytest.raises(ConfigError, match="this is process 3"):
        check_devices(settings(), {**started, "CUDA_VISIBLE_DEVICES": "4,5"})
