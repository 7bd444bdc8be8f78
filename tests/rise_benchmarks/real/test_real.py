import json
from pathlib import Path

import pytest
import yaml

from rise_benchmarks.real.recipe import Recipe
from rise_benchmarks.real.run import run, train
from rise_env.cli.main import main
from rise_env.utils.settings import build
from rise_trainers.loop.run_folder import model_folder, store_path
from tests.rise_benchmarks.real.test_recipe import SMALL, plan

pytest.importorskip("deepspeed")


def contents(out: Path) -> dict[str, bytes]:
    """Return the stores and the weights of an experiment."""
    found = [*out.rglob("*.jsonl"), *out.rglob("*.safetensors")]
    kept = [path for path in found if path.name != "metrics.jsonl"]
    return {str(path.relative_to(out)): path.read_bytes() for path in kept}


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_a_recipe_is_trained_measured_and_reported_and_goes_on_where_it_stopped(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, out = tmp_path / "small.yaml", tmp_path / "out"
    file.write_text(yaml.safe_dump(SMALL, sort_keys=False))
    whole = plan(tmp_path / "out", build(Recipe, SMALL))
    train(whole, "rise", 0)  # as if the command had been killed after its first training
    first = contents(out)
    command = ["bench", "real", "--recipe", str(file), "--out", str(out)]
    assert main(command) == 0
    assert "| RISE 1 |" in capsys.readouterr().out
    made = contents(out)
    assert first.items() <= made.items()
    result = json.loads((out / "result.json").read_text())
    assert [row["name"] for row in result["tables"]["test"]["rows"]] == ["base", "boosted", "RISE 1", "SFT"]
    assert result["tables"]["test"]["problems"] == 3
    boosted = model_folder(whole.run_folder("rise", 0), 0, "boost")
    settings = yaml.safe_load((whole.run_folder("sft", 0) / "config.yaml").read_text())
    assert settings["agent"]["model"] == str(boosted)
    stores = [store_path(whole.run_folder(name, 0), 0, 1) for name in ("rise", "unweighted")]
    assert stores[0].read_bytes() == stores[1].read_bytes()
    assert main(command) == 0
    assert contents(out) == made
    assert run(whole).items() <= result.items()
