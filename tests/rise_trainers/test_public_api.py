"""What `import rise_trainers` gives, and what it needs."""

import pkgutil
import subprocess
import sys
from itertools import permutations

import pytest

import rise_trainers

HEAVY = ("torch", "transformers", "deepspeed", "wandb", "peft", "accelerate", "vllm", "datasets")
LIGHT = sorted({*rise_trainers.__all__} - {"RWRTrainer", "weighted_nll"})


def python(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


def test_importing_the_package_loads_no_heavy_library() -> None:
    names = ", ".join(LIGHT)
    done = python(
        f"import sys, rise_trainers; from rise_trainers import {names}; "
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    assert (done.stdout, done.stderr) == ("[]\n", "")


def test_the_base_install_without_heavy_libraries_has_all_but_the_loss_and_the_trainer() -> None:
    names = ", ".join(LIGHT)
    block = f"import sys; sys.modules.update(dict.fromkeys({HEAVY!r})); "
    done = python(block + f"from rise_trainers import {names}; RunConfig(); print(fit.__name__)")
    assert (done.stdout, done.stderr) == ("fit\n", "")
    done = python(block + "from rise_trainers import weighted_nll")
    assert "ModuleNotFoundError: import of torch halted" in done.stderr


@pytest.mark.parametrize(
    "order",
    list(
        permutations(
            (
                "import rise_trainers.fitting.fit",
                "from rise_trainers import fit, run",
                "import rise_trainers.self_improve, rise_trainers.loop.supervisor",
            )
        )
    ),
)
def test_fit_and_run_are_functions_whatever_was_imported_before(order: tuple[str, ...]) -> None:
    end = (
        "import rise_trainers; from rise_trainers import fit, run",
        "assert callable(fit) and callable(rise_trainers.fit) and callable(rise_trainers.run)",
        "assert fit is rise_trainers.fitting.fit.fit and run is rise_trainers.self_improve.run",
    )
    done = python("\n".join((*order, *end)))
    assert done.returncode == 0, done.stderr


def test_no_module_has_the_name_of_a_public_function() -> None:
    """Importing a submodule sets it as an attribute of its package, and would replace the function."""
    modules = {module.name for module in pkgutil.iter_modules(rise_trainers.__path__)}
    assert "fitting" in modules
    assert not modules & set(rise_trainers.__all__)
