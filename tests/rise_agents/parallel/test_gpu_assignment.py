"""Which GPUs each of several vLLM engines gets; needs neither vLLM nor a GPU."""

import pytest

from rise_agents.parallel.gpu_assignment import devices
from rise_agents.registry import load_agent
from rise_env.errors import ConfigError


@pytest.fixture(autouse=True)
def _eight_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("torch.cuda.device_count", lambda: 8)


def seen(engines: int, per_engine: int) -> list[str]:
    return [found["CUDA_VISIBLE_DEVICES"] for found in devices(engines, per_engine)]


def test_engines_share_the_gpus_between_them() -> None:
    assert seen(4, 2) == ["0,1", "2,3", "4,5", "6,7"]
    assert seen(2, 1) == ["0", "1"]


def test_only_gpus_that_this_process_sees_are_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "5,GPU-8a,7")
    assert seen(3, 1) == ["5", "GPU-8a", "7"]
    with pytest.raises(ConfigError, match="needs 4 GPUs, there are 3"):
        seen(2, 2)


@pytest.mark.parametrize(("engines", "message"), [(0, "at least 1, got 0"), (9, "needs 9 GPUs, there are 8")])
def test_engines_that_cannot_be_are_refused_before_anything_starts(engines: int, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        load_agent("vllm:anything", data_parallel_size=engines)


def test_vllms_own_data_parallel_argument_which_hangs_offline_is_refused() -> None:
    with pytest.raises(ConfigError, match="take it out of `extra`"):
        load_agent("vllm:anything", extra={"data_parallel_size": 2})
