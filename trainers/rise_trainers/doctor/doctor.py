"""`rise doctor`: checks versions, GPUs, compiler, disk, hub, W&B, ports and one tiny fit of this machine.

    rise doctor
    rise doctor --model Qwen/Qwen2.5-0.5B-Instruct --fit false

Each line begins with "ok", "no" or "--". "no" must be repaired, and the line says how. "--" is not there, and
only some commands need it. The exit code is 1 if a line begins with "no".
"""

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from rise_env.utils.config_parser import parse
from rise_trainers.doctor.findings import Finding
from rise_trainers.doctor.libraries import check_libraries, check_pairs, torch_facts
from rise_trainers.doctor.machine import check_compiler, check_gpus, check_ports, check_python, check_space
from rise_trainers.doctor.services import check_hub, check_wandb
from rise_trainers.doctor.trials import check_chat, check_fit


@dataclass(frozen=True, slots=True, kw_only=True)
class DoctorConfig:
    """Settings of `rise doctor`."""

    model: str = "tiny"
    """The model whose chat template is checked: a model folder, a hub id, or "tiny", the embedded model."""
    network: bool = True
    """Try to reach the hub and W&B."""
    fit: bool = True
    """Make one step of a tiny fit, which takes most of the time."""


def main(argv: list[str]) -> int:
    """Run the command line; see the docstring of this module."""
    config = parse(DoctorConfig, argv, prog="rise doctor")
    wrong = 0
    for finding in findings(config):
        print(finding, flush=True)
        wrong += finding.state == "no"
    said = "nothing must be repaired" if not wrong else f"{wrong} to repair: the lines that begin with no"
    print(said, file=sys.stderr)
    return 1 if wrong else 0


def findings(config: DoctorConfig) -> Iterator[Finding]:
    """Yield what each check finds, as soon as it is known."""
    from rise_trainers.fitting.paths import model_path

    checks: list[Callable[[], list[Finding]]] = [
        check_python,
        check_libraries,
        check_pairs,
        lambda: check_gpus(torch_facts()),
        check_compiler,
        check_space,
        check_ports,
    ]
    if config.network:
        checks += [check_hub, check_wandb]
    checks.append(partial(check_chat, model_path(config.model)))
    if config.fit:
        checks.append(check_fit)
    for check in checks:
        yield from check()
