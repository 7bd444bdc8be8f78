from pathlib import Path

import pytest

from rise_env.errors import ConfigError
from rise_trainers.cluster.hostfile import check_hosts, host_arguments, read_hostfile
from rise_trainers.fitting.config import FitConfig
from tests.rise_trainers.cluster.settings import settings

HOSTS = "# two machines\nworker-1 slots=8\n\nworker-2   slots=8  # the second\n"
VISIBLE = {"CUDA_VISIBLE_DEVICES": "6,7"}


@pytest.fixture
def hosts(tmp_path: Path) -> str:
    path = tmp_path / "hosts"
    path.write_text(HOSTS)
    return str(path)


def config(**given: object) -> FitConfig:
    return settings(hostfile="hosts", **given)


def test_a_hostfile_has_a_line_per_machine(hosts: str) -> None:
    assert read_hostfile(hosts) == {"worker-1": 8, "worker-2": 8}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("worker-1\n", ":1 must be 'NAME slots=NUMBER'"),
        ("a slots=1\na slots=2", ":2 names 'a' again"),
        ("# a\n", "names no"),
    ],
)
def test_a_malformed_hostfile_is_refused(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "hosts").write_text(text)
    with pytest.raises(ConfigError, match=message):
        read_hostfile(tmp_path / "hosts")


def test_without_visible_devices_the_first_ones_of_every_machine_are_used(hosts: str) -> None:
    assert host_arguments(config(ranks=8), hosts, {})[-2:] == ["--num_gpus", "8"]


def test_visible_device_numbers_are_used_on_every_machine(hosts: str) -> None:
    arguments = host_arguments(config(ranks=2), hosts, VISIBLE)
    assert arguments[-2:] == ["--include", "worker-1:6,7@worker-2:6,7"]


def test_launcher_and_address_are_passed_on(hosts: str) -> None:
    arguments = host_arguments(config(launcher="openmpi", master_addr="10.0.0.7"), hosts, {})
    assert arguments[arguments.index("--launcher") + 1] == "openmpi"
    assert arguments[arguments.index("--master_addr") + 1] == "10.0.0.7"


def test_names_of_one_machines_devices_are_refused_for_several(hosts: str) -> None:
    with pytest.raises(ConfigError, match="names devices of this machine"):
        host_arguments(config(), hosts, {"CUDA_VISIBLE_DEVICES": "GPU-8a"})


@pytest.mark.parametrize(
    ("ranks", "variables", "message"),
    [
        (9, {}, "gives worker-1 8 slots, but the fit uses device 8"),
        (3, VISIBLE, "ranks is 3, but CUDA_VISIBLE_DEVICES is '6,7'"),
        (1, {"CUDA_VISIBLE_DEVICES": "8"}, "uses device 8"),
    ],
)
def test_machines_with_too_few_devices_are_refused(
    ranks: int, variables: dict[str, str], message: str, hosts: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        check_hosts(config(ranks=ranks), hosts, variables)


def test_machines_with_enough_devices_are_accepted(hosts: str) -> None:
    check_hosts(config(ranks=8), hosts, {})
    check_hosts(config(ranks=2), hosts, VISIBLE)
