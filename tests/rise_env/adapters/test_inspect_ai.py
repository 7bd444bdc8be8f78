"""Inspect evaluates a model on our episodes."""

from pathlib import Path

import pytest

from tests.rise_env.adapters.conftest import ID, RIGHT, SETTINGS, WRONG

inspect_ai = pytest.importorskip("inspect_ai", reason="pip install '.[inspect]'")


@pytest.mark.filterwarnings("ignore")
def test_a_model_is_evaluated_in_several_turns(tmp_path: Path) -> None:
    from inspect_ai.model import ModelOutput, ModelUsage, get_model

    from rise_env.adapters.inspect_ai import rise_task

    settings = {**SETTINGS, "dataset": SETTINGS["dataset"][3:5]}
    texts = [WRONG, RIGHT, "hm", "hm", WRONG]
    outputs = [ModelOutput.from_content("mockllm/model", text) for text in texts]
    for output in outputs:  # otherwise Inspect downloads a tokenizer to count them
        output.usage = ModelUsage(input_tokens=1, output_tokens=1, total_tokens=2)
    model = get_model("mockllm/model", custom_outputs=outputs)
    [log] = inspect_ai.eval(
        rise_task(ID, **settings),
        model=model,
        log_dir=str(tmp_path),
        display="none",
        max_samples=1,
        score_display=False,
    )
    assert log.status == "success", log.error
    scores = [sample.scores["verdict_scorer"] for sample in log.samples]
    assert [(score.value, score.explanation) for score in scores] == [("C", "correct"), ("I", "wrong")]
    assert [len(sample.messages) for sample in log.samples] == [4, 6]
    assert log.results.scores[0].metrics["accuracy"].value == 0.5
