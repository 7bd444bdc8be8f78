from pathlib import Path
from types import SimpleNamespace

import pytest

from rise_env.errors import TrainingError
from rise_trainers import fit
from rise_trainers.fitting.metrics_log import MetricsLog
from tests.rise_trainers import small_models


@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("name", ["loss", "grad_norm"])
def test_every_rank_stops_at_a_loss_or_gradient_that_is_no_number(first: bool, name: str) -> None:
    log = MetricsLog.__new__(MetricsLog)
    state = SimpleNamespace(global_step=7, max_steps=9, is_world_process_zero=first)
    with pytest.raises(TrainingError, match=f"the {name} of step 7 is nan: lower learning_rate"):
        log.on_log(None, state, None, {"loss": 1.0, "grad_norm": 1.0, name: float("nan")})


def test_a_fit_whose_gradients_overflow_fails_and_leaves_no_model(tmp_path: Path) -> None:
    config = small_models.fit_config(tmp_path, learning_rate=1e30, max_grad_norm=0.0, warmup=0.0, epochs=3.0)
    with pytest.raises(TrainingError, match="the grad_norm of step 2 is inf"):
        fit(config)
    assert not Path(config.output).exists()
