import subprocess
import sys
from dataclasses import replace

import pytest

from rise_env.errors import TrainingError
from rise_trainers.cluster.environment import free_port
from rise_trainers.cluster.members import follow
from rise_trainers.cluster.rendezvous import Rendezvous
from rise_trainers.cluster.world import World, phase_variables

FIRST = World(rank=0, size=2, master_addr="127.0.0.1", master_port=1)


@pytest.fixture
def pair() -> tuple[Rendezvous, Rendezvous]:
    """The rendezvous of the first and of the second process of a world, both in this process."""
    world = replace(FIRST, master_port=free_port())
    first = Rendezvous(world, host=True)
    return first, Rendezvous(replace(world, rank=1))


def test_the_second_process_reads_the_fits_that_the_first_announces(
    pair: tuple[Rendezvous, Rendezvous],
) -> None:
    first, second = pair
    assert second.announced(1) is None
    assert first.announce({"settings": "a"}) == 1
    assert first.announce({"settings": "b"}) == 2
    assert [second.announced(number) for number in (1, 2, 3)] == [{"settings": "a"}, {"settings": "b"}, None]


def test_the_first_process_reads_how_the_ranks_of_the_second_ended(
    pair: tuple[Rendezvous, Rendezvous],
) -> None:
    first, second = pair
    assert not first.all_ended(1)
    second.report(1, None)
    second.report(2, "out of memory")
    assert first.all_ended(1)
    assert first.failure(1) is None
    assert first.failure(2) == "out of memory"


def test_a_stopped_fit_and_the_end_of_the_command_stop_the_ranks(pair: tuple[Rendezvous, Rendezvous]) -> None:
    first, second = pair
    assert not second.stopped(1)
    first.stop(1)
    assert second.stopped(1)
    assert not second.stopped(2)
    assert second.ended() is None
    first.announce({})
    first.end(2, timeout_s=0)
    assert second.stopped(2)
    assert second.ended() == 2


def test_worlds_that_torchrun_restarted_do_not_see_earlier_fits(pair: tuple[Rendezvous, Rendezvous]) -> None:
    first, _ = pair
    first.announce({"settings": "a"})
    assert Rendezvous(replace(first.world, rank=1, attempt=1)).announced(1) is None


HOST = """
import sys, time
from rise_trainers.cluster.rendezvous import Rendezvous
from rise_trainers.cluster.world import World
first = Rendezvous(World(rank=0, size=2, master_addr="127.0.0.1", master_port=int(sys.argv[1])), host=True)
first.announced(1)
print("listens", flush=True)
sys.stdin.readline()
{ending}
"""


@pytest.mark.parametrize(
    ("ending", "message"),
    [("", "ended without a word"), ("first.end(2)", "the first process of the world failed")],
)
def test_other_processes_end_with_the_first(ending: str, message: str) -> None:
    world = World(rank=1, size=2, master_addr="127.0.0.1", master_port=free_port())
    program = HOST.replace("{ending}", ending)
    host = subprocess.Popen(
        [sys.executable, "-c", program, str(world.master_port)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with host:
        assert host.stdout is not None
        assert host.stdin is not None
        host.stdout.readline()
        host.stdin.write(b"\n")
        host.stdin.close()
        with pytest.raises(TrainingError, match=message):
            follow(phase_variables(world))


def test_a_port_that_is_in_use_is_named(pair: tuple[Rendezvous, Rendezvous]) -> None:
    first, _ = pair
    with pytest.raises(TrainingError, match=f"cannot meet at 127.0.0.1:{first.world.master_port} "):
        Rendezvous(first.world, host=True)
