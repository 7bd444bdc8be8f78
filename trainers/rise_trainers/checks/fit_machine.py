"""Checks that this machine has what a fit needs: libraries, a compiler, devices.

Neither torch nor transformers is imported, and no memory of a GPU is used.
"""

import json
import shutil
import subprocess
import sys
from functools import cache
from importlib.util import find_spec

from rise_env.errors import ConfigError, MissingDependencyError
from rise_env.utils.extras import missing_library
from rise_trainers.fitting.config import FitConfig

_ATTENTION_LIBRARIES = {
    "flash_attention_2": ("flash_attn", "flash-attn"),
    "flash_attention_3": ("flash_attn_interface", "flash-attn-3"),
    "flash_attention_4": ("flash_attn.cute", "flash-attn-4"),
}
"""Attention implementation -> the module that it needs, and the package that has it."""
_GPUS = """
import json, torch
count = torch.cuda.device_count() if torch.cuda.is_available() else 0
print(json.dumps([torch.cuda.get_device_properties(i).total_memory for i in range(count)]))
"""


def check_libraries(config: FitConfig) -> None:
    """Check that the libraries and the compiler are installed that the settings of a fit need.

    Raises:
        MissingDependencyError: One is missing.
    """
    needed = [("deepspeed", "a fit"), ("accelerate", "a fit")]
    if config.lora is not None or config.adapter is not None:
        needed.append(("peft", "lora" if config.lora is not None else "adapter"))
    if config.lora is not None and config.lora.bits is not None:
        needed.append(("bitsandbytes", "lora.bits"))
    needed += [(tracker, "report_to") for tracker in config.report_to]
    for library, why in needed:
        if find_spec(library) is None:
            raise missing_library(library, why)
    _check_attention(config.attention)
    if config.offload:
        check_compiler()


def check_compiler() -> None:
    """Check that DeepSpeed can compile its CPU optimizer: it needs a C++ compiler and ninja.

    Raises:
        MissingDependencyError: One of them is missing.
    """
    if not any(shutil.which(name) for name in ("c++", "g++", "clang++")):
        raise MissingDependencyError(
            "offload needs a C++ compiler, because DeepSpeed compiles its CPU optimizer: install g++ "
            "(apt install g++), or set offload to false"
        )
    if shutil.which("ninja") is None and find_spec("ninja") is None:
        raise MissingDependencyError(
            "offload needs ninja, because DeepSpeed compiles its CPU optimizer: pip install ninja, or set "
            "offload to false"
        )


def _check_attention(attention: str | None) -> None:
    if attention is None:
        return
    if "/" in attention and find_spec("kernels") is None:
        raise MissingDependencyError(
            f"attention {attention!r} is a kernel of the hub, which needs kernels: pip install kernels"
        )
    module, package = _ATTENTION_LIBRARIES.get(attention, ("", ""))
    if module and not _installed(module):
        raise MissingDependencyError(
            f"attention {attention!r} needs {package}, which is not installed: pip install {package}, or "
            "set attention to sdpa"
        )


def _installed(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:  # the package around it is missing
        return False


def check_devices(config: FitConfig) -> list[int]:
    """Check that the devices of a fit are on this machine, and return the memory of each GPU in bytes.

    Returns:
        One number per GPU that the fit can see; empty where it trains on the CPU.

    Raises:
        ConfigError: There is no GPU and `device` is cuda, or there are fewer GPUs than ranks.
    """
    if config.device == "cpu":
        return []
    gpus = list(gpu_memory())
    if config.device == "cuda" and not gpus:
        raise ConfigError(
            "device is 'cuda', but torch finds no GPU on this machine: set device to auto or cpu"
        )
    if gpus and config.ranks > len(gpus):
        raise ConfigError(
            f"ranks is {config.ranks}, but torch finds {len(gpus)} GPUs: set ranks to at most {len(gpus)}"
        )
    return gpus


@cache
def gpu_memory() -> tuple[int, ...]:
    """Return the memory of each visible GPU in bytes; empty if there is none.

    A process of its own asks torch, because asking in this process would use memory of the GPU until it ends.
    """
    if shutil.which("nvidia-smi") is None and shutil.which("rocm-smi") is None:
        return ()
    done = subprocess.run([sys.executable, "-c", _GPUS], capture_output=True, text=True, check=False)
    try:
        return tuple(json.loads(done.stdout.strip().splitlines()[-1]))
    except (IndexError, ValueError):
        return ()
