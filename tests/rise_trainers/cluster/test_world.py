"""How a process finds out that it is a part of a world, from its environment variables alone."""

import pytest

from rise_env.errors import ConfigError
from rise_trainers.cluster.world import (
    PHASE_VARIABLE,
    World,
    first_node,
    phase_variables,
    tasks_of_node,
    without_world,
    world_of,
)

TORCHRUN = {
    "RANK": "9",
    "WORLD_SIZE": "16",
    "LOCAL_RANK": "1",
    "LOCAL_WORLD_SIZE": "8",
    "MASTER_ADDR": "gpu07",
    "MASTER_PORT": "29400",
    "TORCHELASTIC_RESTART_COUNT": "2",
    "TORCHELASTIC_USE_AGENT_STORE": "True",
}
SRUN = {
    "SLURM_JOB_ID": "4711",
    "SLURM_STEP_ID": "3",
    "SLURM_PROCID": "9",
    "SLURM_NTASKS": "16",
    "SLURM_STEP_NUM_TASKS": "16",
    "SLURM_STEP_TASKS_PER_NODE": "8(x2)",
    "SLURM_LOCALID": "1",
    "SLURM_NODEID": "1",
    "SLURM_STEP_NODELIST": "gpu[07-08]",
}


def test_the_variables_of_torchrun_make_a_world() -> None:
    assert world_of(TORCHRUN) == World(
        rank=9,
        size=16,
        local_rank=1,
        local_size=8,
        master_addr="gpu07",
        master_port=29400,
        attempt=2,
        hosted=True,
    )


def test_the_variables_of_srun_make_a_world() -> None:
    world = world_of(SRUN)
    assert world is not None
    assert (world.rank, world.size, world.local_rank, world.local_size) == (9, 16, 1, 8)
    assert world.master_addr == "gpu07"
    assert not world.hosted


def test_the_tasks_of_a_job_step_meet_at_one_port_and_other_steps_at_another() -> None:
    ports = {
        (job, step, rank): world.master_port
        for job in ("4711", "4712")
        for step in ("0", "1")
        for rank in ("0", "9")
        if (world := world_of({**SRUN, "SLURM_JOB_ID": job, "SLURM_STEP_ID": step, "SLURM_PROCID": rank}))
    }
    assert len(set(ports.values())) == 4
    assert all(ports[job, step, "0"] == ports[job, step, "9"] for job, step, _ in ports)
    assert all(1024 < port < 1 << 16 for port in ports.values())


def test_address_and_port_can_be_chosen_in_a_job_step() -> None:
    world = world_of({**SRUN, "MASTER_ADDR": "10.0.0.7", "MASTER_PORT": "12345"})
    assert world is not None
    assert (world.master_addr, world.master_port) == ("10.0.0.7", 12345)


@pytest.mark.parametrize(
    "variables",
    [
        {},
        {**TORCHRUN, "WORLD_SIZE": "1", "RANK": "0"},
        # a batch script of 16 tasks that starts a command without srun
        {"SLURM_JOB_ID": "1", "SLURM_PROCID": "0", "SLURM_NTASKS": "16", "SLURM_LOCALID": "0"},
        {**SRUN, "SLURM_STEP_NUM_TASKS": "1", "SLURM_PROCID": "0"},
    ],
)
def test_a_process_that_was_started_alone_has_no_world(variables: dict[str, str]) -> None:
    assert world_of(variables) is None


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"MASTER_ADDR": ""}, "MASTER_ADDR are not: set them"),
        ({"MASTER_PORT": "abc"}, "MASTER_PORT must be a number, got 'abc'"),
        ({"RANK": "16"}, "number 16 of a world of 16"),
    ],
)
def test_malformed_variables_are_refused(changed: dict[str, str], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        world_of({**TORCHRUN, **changed})


def test_the_first_node_of_a_list_is_found() -> None:
    assert first_node("gpu[07-09,12],login1") == "gpu07"
    assert first_node("a1,a2") == "a1"
    assert first_node("rack[2-3]-n[1,5]") == "rack2-n1"


def test_the_tasks_of_a_node_are_found() -> None:
    assert [tasks_of_node("8(x2),4", {"SLURM_NODEID": str(node)}) for node in range(3)] == [8, 8, 4]


def test_the_process_of_a_phase_has_the_world_that_its_run_gives_it_and_no_other() -> None:
    world = world_of(TORCHRUN)
    kept = without_world({**TORCHRUN, **SRUN, "HF_HOME": "/hub", PHASE_VARIABLE: "old"})
    assert kept == {**SRUN, "HF_HOME": "/hub"}
    assert world_of({**kept, **phase_variables(world)}) == world
    assert phase_variables(None) == {}
