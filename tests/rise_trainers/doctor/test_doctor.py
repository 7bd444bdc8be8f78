import shutil
import sys
from pathlib import Path

import pytest

from rise_trainers.doctor.doctor import DoctorConfig, findings, main
from rise_trainers.doctor.findings import run_python
from rise_trainers.doctor.libraries import check_libraries, satisfies
from rise_trainers.doctor.machine import check_compiler, check_gpus, check_ports, check_space
from rise_trainers.doctor.services import check_hub, check_wandb, reach
from rise_trainers.doctor.trials import check_chat


@pytest.mark.parametrize(
    ("have", "spec", "fits"),
    [
        ("5.19.0", ">=5.0,<5.20", True),
        ("5.20.1", ">=5.0,<5.20", False),
        ("4.57.1", ">=5.0,<5.20", False),
        ("2.9.0+cpu", "==2.9.0", True),
        ("2.9.1", "==2.9.0", False),
        ("2.9.1", "==2.9.*", True),
        ("2.9.1", "!=2.9.1", False),
        ("2.9", "<=2.9.0", True),
        ("2.10", "~=2.9", True),
        ("3.0", "~=2.9", False),
        ("1.0", "", True),
    ],
)
def test_versions_are_compared_as_numbers(have: str, spec: str, fits: bool) -> None:
    assert satisfies(have, spec) is fits


def test_code_that_ends_its_process_is_told_and_not_raised() -> None:
    assert run_python("-c", "import os; os.abort()")[0] is False
    assert run_python("-c", "raise ImportError('broken')") == (False, "ImportError: broken")
    assert run_python("-c", "print('noise'); print('last')") == (True, "last")


def test_a_machine_without_a_compiler_is_told_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    [found] = check_compiler()
    assert found.state == "no"
    assert "apt install g++" in found.said


def test_a_library_that_cannot_be_imported_is_red(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "transformers").mkdir()
    (tmp_path / "transformers" / "__init__.py").write_text("raise ImportError('needs torch 9')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    found = {finding.what: finding for finding in check_libraries()}
    if found["transformers"].state == "--":
        pytest.skip("transformers is not installed")
    assert found["transformers"].state == "no"
    assert "cannot be imported (ImportError: needs torch 9): install it again" in found["transformers"].said


def test_a_driver_that_is_too_old_for_torch_is_red(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = tmp_path / "nvidia-smi"
    script.write_text("#!/bin/sh\necho '| Driver Version: 525  CUDA Version: 9.2 |'\n")
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{Path(str(shutil.which('sh'))).parent}")

    def said(**torch: object) -> str:
        return str(check_gpus(torch)[0])

    assert "torch cannot be imported" in said()
    assert "built without CUDA" in said(version="2.9", cuda=None, gpus=[])
    assert "the driver has CUDA 9.2, torch is built for 12.8" in said(version="2.9", cuda="12.8", gpus=[])
    assert "CUDA_VISIBLE_DEVICES" in said(version="2.9", cuda="9.2", gpus=[])
    assert said(version="2.9", cuda="9.0", gpus=["H100"]).startswith("ok")


def test_services_without_network_say_what_to_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("HF_HUB_OFFLINE", "WANDB_MODE", "HF_TOKEN", "WANDB_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:1")
    assert "set HF_ENDPOINT to a mirror" in check_hub()[0].said
    assert "WANDB_MODE=offline" in check_wandb()[0].said
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("WANDB_MODE", "offline")
    assert check_hub()[0].state == "--"
    assert check_wandb()[0].state == "ok"
    assert reach("no url")


def test_this_machine_has_ports_and_its_space_is_told() -> None:
    assert check_ports()[0].what == "ports"
    assert [finding.what for finding in check_space()][:2] == ["memory", "disk, runs"]


def test_a_model_without_a_chat_template_is_red(tmp_path: Path) -> None:
    [found] = check_chat(str(tmp_path))
    assert found.state == "no"
    assert "cannot load a tokenizer" in found.said


def test_the_command_prints_a_line_per_check_and_its_exit_code_says_whether_all_is_well(
    capsys: pytest.CaptureFixture[str],
) -> None:
    code = main(["--network", "false"])
    printed = capsys.readouterr().out.splitlines()
    assert code == int(any(line.startswith("no ") for line in printed))
    assert any(line.startswith("ok  tiny fit") for line in printed)
    assert any(line.startswith("ok  chat template") for line in printed)
    assert printed[1].split()[:2] == ["ok", "python"]
    assert sys.prefix in printed[1]


def test_the_checks_are_made_one_after_another() -> None:
    first = next(findings(DoctorConfig(network=False, fit=False)))
    assert first.what == "rise"
