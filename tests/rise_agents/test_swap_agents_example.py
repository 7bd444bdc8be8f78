import importlib.util
from pathlib import Path
from typing import Any

import pytest

from tests.rise_agents.backends.faulty_server import serving


def load() -> Any:
    path = Path(__file__).parents[2] / "examples" / "swap_agents.py"
    spec = importlib.util.spec_from_file_location("swap_agents", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.skipif(importlib.util.find_spec("vllm") is not None, reason="would start vLLM: slow")
def test_one_table_compares_all_agents(random_model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("openai")
    with serving(lambda text: []) as server:
        load().main(["--model", str(random_model), "--limit", "4", "--url", server.url, "--served", "m"])
    lines = capsys.readouterr().out.splitlines()
    assert [line[:22].strip() for line in lines] == [
        "agent",
        "script",
        "tiny, transformers",
        "tiny, vLLM",
        "tiny, OpenAI server",
    ]
    assert all(lines[row].count("%") == 4 for row in (1, 2, 4))
