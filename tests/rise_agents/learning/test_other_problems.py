"""What was learned in one environment and is used in another one gives a warning."""

import json
import logging
from pathlib import Path

import pytest

from rise_agents.memory.events import end, event, head
from rise_agents.memory.settings import MemorySettings
from rise_env.cli.main import main

OBEDIENT = "rise_agents.learning.examples:obedient"


@pytest.mark.parametrize("kind", ["rules", "memory"])
@pytest.mark.parametrize("env", ["RISE-Conventions-v0", "RISE-Arithmetic-v0"])
def test_rules_and_memories_of_another_environment_give_a_warning(
    kind: str, env: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / kind
    if kind == "rules":
        path.write_text(json.dumps({"rules": ["Add."], "made_from": {"env": "RISE-Conventions-v0"}}))
    else:
        lines = [head("RISE-Conventions-v0", MemorySettings())]
        lines += [event("p", [], success=True, new=[("Add.", "What?")]), end(0, 1)]
        path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    wraps = {"rules": "instructed", "memory": "sage"}[kind]
    command = ["collect", env, "--agent", f"{wraps}:{OBEDIENT}", f"--agent_settings.{kind}", str(path)]
    with caplog.at_level(logging.WARNING):
        assert main([*command, "--limit", "1", "--turns", "1", "--out", str(tmp_path / "out")]) == 0
    warned = [record.getMessage() for record in caplog.records if "was learned in" in record.getMessage()]
    assert bool(warned) == (env == "RISE-Arithmetic-v0")
    assert all("RISE-Arithmetic-v0 with what was learned in RISE-Conventions-v0" in line for line in warned)
