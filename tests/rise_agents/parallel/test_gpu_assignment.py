"""Which GPUs each replica of `VLLMAgent` uses; needs neither vLLM nor a GPU."""

import pytest

from rise_agents.parallel.gpu_assignment import first_device, replica_environments
from rise_agents.registry import load_agent
from rise_env.errors import ConfigError


@pytest.fixture(autouse=True)
def _eight_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("torch.cuda.device_count", lambda: 8)


def visible_gpus(replicas: int, per_replica: int) -> list[str]:
    return [variables["CUDA_VISIBLE_DEVICES"] for variables in replica_environments(replicas, per_replica)]


def test_replicas_share_the_gpus() -> None:
    assert visible_gpus(4, 2) == ["0,1", "2,3", "4,5", "6,7"]
    assert visible_gpus(2, 1) == ["0", "1"]


def test_only_gpus_that_this_process_sees_are_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "GPU-5,GPU-8a, GPU-7")
    assert visible_gpus(3, 1) == ["GPU-5", "GPU-8a", "GPU-7"]
    with pytest.raises(ConfigError, match="needs 4 GPUs, there are 3"):
        visible_gpus(2, 2)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    with pytest.raises(ConfigError, match="needs 1 GPUs, there are 0"):
        visible_gpus(1, 1)


def test_a_replica_uses_one_mig_device(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "MIG-1,MIG-2")
    assert visible_gpus(2, 1) == ["MIG-1", "MIG-2"]
    with pytest.raises(ConfigError, match="only one MIG device"):
        visible_gpus(1, 2)


def test_an_agent_that_uses_the_first_of_several_gpus_says_so(caplog: pytest.LogCaptureFixture) -> None:
    assert first_device() == "cuda"
    assert "plays on the first of 8 visible GPUs" in caplog.text
    assert "workers ray:8" in caplog.text


def test_an_agent_on_the_only_gpu_or_on_the_cpu_says_nothing(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("torch.cuda.device_count", lambda: 1)
    assert first_device() == "cuda"
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    assert first_device() == "cpu"
    assert not caplog.text


@pytest.mark.parametrize(
    ("replicas", "message"), [(0, "at least 1, got 0"), (9, "needs 9 GPUs, there are 8")]
)
def test_an_impossible_number_of_replicas_is_refused_before_anything_starts(
    replicas: int, message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        load_agent("vllm:anything", data_parallel_size=replicas)


def test_vllms_own_data_parallel_argument_which_hangs_offline_is_refused() -> None:
    with pytest.raises(ConfigError, match="extra must not hold data_parallel_size"):
        load_agent("vllm:anything", extra={"data_parallel_size": 2})
