import errno

import pytest

from rise_trainers.utils.failures import explained, reason_in_log


class OutOfMemoryError(RuntimeError):
    """As that of torch."""


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"),
        RuntimeError("[enforce fail at alloc_cpu.cpp:127] DefaultCPUAllocator: can't allocate memory"),
        OSError(errno.ENOMEM, "Can't allocate memory"),
    ],
)
def test_too_little_memory_is_said_with_what_to_change(error: BaseException) -> None:
    assert "ran out of memory" in str(explained(error))
    assert "smaller micro_batch_size" in str(explained(error))


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        RuntimeError("PytorchStreamWriter failed writing file data/3: file write failed"),
    ],
)
def test_a_full_disk_is_said(error: BaseException) -> None:
    assert "the disk is full" in str(explained(error))


def test_another_error_is_not_explained() -> None:
    assert explained(RuntimeError("shapes differ")) is None


TAIL = "[rank0]: Traceback (most recent call last):\n  File ...\n"


@pytest.mark.parametrize(
    ("log", "reason"),
    [
        (TAIL + "ValueError: shapes differ\n[INFO] killing subprocess 3\n", "ValueError: shapes differ"),
        (TAIL + "[rank1]: torch.OutOfMemoryError: CUDA out of memory.\n", "the fit ran out of memory"),
        (
            TAIL + "safetensors_rust.SafetensorError: No space left on device (os error 28)",
            "the disk is full",
        ),
        ("x\n[ERROR] [launch.py:325] exits with return code = -9\n", "the system ended a process"),
        (TAIL + "subprocess.CalledProcessError: Command died", ""),
        ("Loss: 3\n", ""),
    ],
)
def test_the_last_error_of_a_log_is_the_reason(log: str, reason: str) -> None:
    found = reason_in_log(log)
    assert (reason in found) if reason else not found
    assert "\n" not in found
