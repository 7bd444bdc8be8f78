"""The machine: Python, GPUs and their driver, compiler, memory, disk, ports."""

import os
import platform
import re
import shutil
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

from rise_env.utils.versions import __version__
from rise_trainers.checks.resources import free_bytes, machine_memory
from rise_trainers.doctor.findings import Finding
from rise_trainers.loop.memory import GIB

LEAST_DISK_GIB = 10.0
"""Free space below which a fit of a small model already fails."""


def check_python() -> list[Finding]:
    """Return the versions of RISE and of Python."""
    said = f"{platform.python_version()} in {sys.prefix}"
    return [Finding("ok", "rise", f"{__version__} on {platform.platform()}"), Finding("ok", "python", said)]


def check_gpus(torch: dict[str, object]) -> list[Finding]:
    """Compare the driver's GPUs and CUDA version with what torch was built for.

    Args:
        torch: What `libraries.torch_facts` returned.
    """
    driver = _nvidia_smi()
    if driver is None:
        return [Finding("--", "GPU", "no NVIDIA driver (nvidia-smi) on this machine: models run on the CPU")]
    if not torch:
        return [Finding("no", "GPU", "there is one, and torch cannot be imported: install torch")]
    built, gpus = torch["cuda"], torch["gpus"]
    if built is None:
        said = f"torch {torch['version']} is built without CUDA: install a build for CUDA {driver}"
        return [Finding("no", "GPU", said)]
    if int(str(built).split(".")[0]) > int(driver.split(".")[0]):
        said = f"the driver has CUDA {driver}, torch is built for {built}: update the driver, or change torch"
        return [Finding("no", "GPU", said)]
    if not gpus:
        return [Finding("no", "GPU", "torch sees none: look at CUDA_VISIBLE_DEVICES and `nvidia-smi`")]
    assert isinstance(gpus, list)
    return [
        Finding("ok", "GPU", f"{len(gpus)} x {gpus[0]}, driver for CUDA {driver}, torch for {built}"),
        *_nvcc(built),
    ]


def check_compiler() -> list[Finding]:
    """Look for what DeepSpeed needs to compile its CPU optimizer, which `offload` uses."""
    compiler = next((found for name in ("c++", "g++", "clang++") if (found := shutil.which(name))), None)
    if compiler is None:
        said = "no c++, g++ or clang++: fits with offload need one: apt install g++"
        return [Finding("no", "compiler", said)]
    if shutil.which("ninja") is None and not (Path(sys.prefix) / "bin" / "ninja").exists():
        return [
            Finding(
                "no", "compiler", f"{compiler}, but no ninja: fits with offload need it: pip install ninja"
            )
        ]
    return [Finding("ok", "compiler", f"{compiler}, ninja")]


def check_space() -> list[Finding]:
    """Return memory, and the free space for runs, for temporary files and for the cache of the hub."""
    cache = os.environ.get("HF_HOME", str(Path.home() / ".cache" / "huggingface"))
    findings = [Finding("ok", "memory", f"{machine_memory() / GIB:.1f} GiB, {os.cpu_count()} cores")]
    for what, folder in (("runs", "."), ("temporary files", tempfile.gettempdir()), ("hub cache", cache)):
        free = free_bytes(folder) / GIB
        where = Path(folder).absolute()
        if free < LEAST_DISK_GIB:
            said = f"{free:.1f} GiB are free in {where}: free some, a fit of 7B needs 110 GiB per checkpoint"
            findings.append(Finding("no", f"disk, {what}", said))
        else:
            findings.append(Finding("ok", f"disk, {what}", f"{free:.1f} GiB are free in {where}"))
    return findings


def check_ports() -> list[Finding]:
    """Check that processes of this machine can reach each other, as the ranks of a fit do."""
    try:
        with socket.socket() as server:
            server.bind(("127.0.0.1", 0))
            server.listen()
            with socket.create_connection(server.getsockname(), timeout=5):
                pass
    except OSError as error:
        return [Finding("no", "ports", f"127.0.0.1 cannot be used ({error}): ranks of a fit need it")]
    name = socket.gethostname()
    try:
        socket.getaddrinfo(name, None)
    except OSError:
        return [Finding("no", "ports", f"the host name {name} has no address: add it to /etc/hosts")]
    return [Finding("ok", "ports", f"127.0.0.1 and {name} can be used")]


def _nvidia_smi() -> str | None:
    """Return the CUDA version of the driver, or None without a driver."""
    try:
        done = subprocess.run(["nvidia-smi"], capture_output=True, text=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = re.search(r"CUDA Version:\s*([\d.]+)", done.stdout)
    return found[1] if found else None


def _nvcc(built: object) -> list[Finding]:
    """Return a note if the CUDA compiler is of another major version than torch's CUDA."""
    try:
        done = subprocess.run(["nvcc", "--version"], capture_output=True, text=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return []
    found = re.search(r"release ([\d.]+)", done.stdout)
    if found and found[1].split(".")[0] != str(built).split(".")[0]:
        said = f"{found[1]}, torch is built for {built}: DeepSpeed compiles no CUDA code with it"
        return [Finding("--", "nvcc", said)]
    return []
