"""The table of docs/works_with.md: which libraries work with the environments, each row a run.

    python -m tests.works_with [--python INTERPRETER ...]

Runs the tests below in each interpreter, and writes the table anew. A library is looked for in the interpreters in
their order; where none has it, or its test is skipped in all, the row says "not run".
"""

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "works_with.md"
BEGIN, END = "<!-- written by `make works-with` -->", "<!-- end of the table -->"
WRAPPERS = "tests/rise_env/envs/test_gymnasium_wrappers.py"
ADAPTERS = "tests/rise_env/adapters"
NEMO = "NeMo-Gym 0.7 needs Python 3.13.14 or later; no adapter is written"


class Row(NamedTuple):
    """One thing that was tried."""

    library: str
    """Its distribution, whose version is shown."""
    what: str
    tests: str
    """File, and after two colons the beginning of the tests' names."""
    note: str = ""
    works: bool = True
    """False where the test shows what does not work."""


ROWS = (
    Row("gymnasium", "single wrappers: statistics, time limit, transforms, delay, autoreset, render", f"{WRAPPERS}::test_other test_statistics"),
    Row("gymnasium", "`FrameStackObservation`", f"{WRAPPERS}::test_frames"),
    Row("gymnasium", "vector wrappers, `make_vec` sync and async", f"{WRAPPERS}::test_the_vector test_gymnasiums"),
    Row("gymnasium", "texts instead of conversations, all autoreset modes", f"{WRAPPERS}::test_a_batch", "`rise_env.wrappers.VectorTextObservation`"),
    Row("gymnasium", "`json.dumps(info)`", f"{WRAPPERS}::test_the_info"),
    Row("gymnasium", "the spec tells the limit on turns; no `TimeLimit` is added", f"{WRAPPERS}::test_the_spec", '`env.spec.kwargs["max_turns"]`'),
    Row("gymnasium", "`pprint_registry` shows the ids under their name", f"{WRAPPERS}::test_the_registry"),
    Row("torchrl", "`GymEnv`, `GymWrapper`, `rollout`", f"{ADAPTERS}/test_torchrl.py::", "after `register_spaces()`"),
    Row("trl", "`GRPOTrainer` trains with a reward function; rows for its data set", f"{ADAPTERS}/test_trl.py::test_the_trainer_of_trl_trains"),
    Row("trl", "`environment_factory`: the tool is found and has a schema", f"{ADAPTERS}/test_trl.py::test_the_trainer_of_trl_finds", "no training step was run with it"),
    Row("skyrl-gym", "`BaseTextEnv`, rows of its data sets", f"{ADAPTERS}/test_skyrl.py::"),
    Row("gem-llm", "`gem.make`, `make_vec`, `spawn`; GEM's problems in RISE", f"{ADAPTERS}/test_gem.py::"),
    Row("verifiers", "taskset, episodes of several turns", f"{ADAPTERS}/test_verifiers.py::", "written from its source"),
    Row("openenv", "`Environment`, its HTTP server", f"{ADAPTERS}/test_openenv.py::"),
    Row("inspect_ai", "`eval` of a task in several turns", f"{ADAPTERS}/test_inspect_ai.py::"),
    Row("stable_baselines3", "`Monitor`", f"{ADAPTERS}/test_gymnasium_users.py::test_monitor"),
    Row("tianshou", "`DummyVectorEnv`, `SubprocVectorEnv`", f"{ADAPTERS}/test_gymnasium_users.py::test_vector", "with `TextObservation`: it refuses tuples"),
    Row("ray", "RLlib's `SingleAgentEnvRunner`", f"{ADAPTERS}/test_gymnasium_users.py::test_the_runner", "its `unbatch` splits every text into characters", False),
)  # fmt: skip


def outcomes(python: str) -> dict[str, tuple[str, str]]:
    """Run the tests, and return file::name -> (passed, failed or skipped; the reason)."""
    files = sorted({row.tests.partition("::")[0] for row in ROWS})
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        command = [python, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--junitxml={report}", *files]
        subprocess.run(command, cwd=ROOT, capture_output=True, check=False)
        cases = ElementTree.parse(report).getroot().iter("testcase")
        found = {}
        for case in cases:
            module = (case.get("classname") or case.get("name") or "").replace(".", "/") + ".py"
            states = {child.tag: child.get("message") or "" for child in case}
            state = (
                "failed"
                if {"failure", "error"} & set(states)
                else "skipped"
                if "skipped" in states
                else "passed"
            )
            found[f"{module}::{case.get('name')}"] = (state, " ".join(states.values()))
    return found


def version(python: str, distribution: str) -> str:
    """Return the version of a distribution in an interpreter; empty where it has none."""
    code = f"from importlib.metadata import version; print(version({distribution!r}))"
    return subprocess.run([python, "-c", code], capture_output=True, text=True, check=False).stdout.strip()


def result(row: Row, python: str, found: dict[str, tuple[str, str]]) -> tuple[str, str]:
    """Return the version and "yes", "no" or "not run" for a row in one interpreter."""
    file, _, names = row.tests.partition("::")
    chosen = [
        value for key, value in found.items()
        if key.startswith(file) and any(key.partition("::")[2].startswith(name) for name in names.split() or [""])
    ]  # fmt: skip
    states = {state for state, _ in chosen}
    installed = version(python, row.library)
    if "failed" in states:
        return installed, "no"
    if states != {"passed"}:
        return installed, "not run"
    return installed, "yes" if row.works else "no"


def table(pythons: Sequence[str]) -> str:
    """Run everything and return the table."""
    runs = [(python, outcomes(python)) for python in pythons]
    lines = ["| library | version | what | works | note |", "| --- | --- | --- | --- | --- |"]
    for row in ROWS:
        results = [result(row, python, found) for python, found in runs]
        installed, works = next((one for one in results if one[1] != "not run"), results[-1])
        lines.append(f"| {row.library} | {installed or '-'} | {row.what} | {works} | {row.note} |")
    lines.append(f"| nemo-gym | - | resources server | not run | {NEMO} |")
    return "\n".join(lines)


def main() -> None:
    """Write the table anew."""
    parser = argparse.ArgumentParser("tests.works_with", description=__doc__)
    parser.add_argument("--python", action="append", default=[])
    pythons = parser.parse_args().python or [sys.executable]
    before, _, rest = PAGE.read_text().partition(BEGIN)
    after = rest.partition(END)[2]
    PAGE.write_text(f"{before}{BEGIN}\n{table(pythons)}\n{END}{after}")


if __name__ == "__main__":
    main()
