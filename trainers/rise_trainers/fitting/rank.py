"""One rank of a fit. The DeepSpeed launcher runs `rise_trainers.fitting.rank DIR.partial/fit.json`."""

import contextlib
import dataclasses
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

from rise_env.errors import RiseError
from rise_trainers.cluster.passed_on import read_environment
from rise_trainers.utils.failures import explained
from rise_trainers.utils.parent_death import die_with_parent


def main(settings: Path) -> int:
    """Run the fit and save the model in the folder of the settings file; return the exit code."""
    die_with_parent(signal.SIGKILL)
    read_environment(settings.parent)
    from rise_trainers.fitting.config import from_json
    from rise_trainers.fitting.launcher import ERROR

    try:
        _fit(from_json(json.loads(settings.read_text())), settings.parent)
    except RiseError as error:
        if os.environ.get("RANK", "0") == "0":
            _report(settings.parent / ERROR, type(error).__name__, str(error))
        print(f"rise fit: {error}", file=sys.stderr)
        return 2
    except (MemoryError, OSError, RuntimeError) as error:
        said = explained(error)
        if said is not None:  # any rank may be the one whose memory or disk is full
            _report(settings.parent / ERROR, "TrainingError", said)
        raise
    return 0


def _report(path: Path, kind: str, message: str) -> None:
    """Write the error for the process that started the fit; a full disk may keep it from being written."""
    with contextlib.suppress(OSError):
        path.write_text(json.dumps({"kind": kind, "message": message}))


def _fit(config: Any, folder: Path) -> None:
    from rise_trainers.fitting import build_trainer, checkpoints, models, prepare_data

    data = prepare_data.prepare(config)
    plan = build_trainer.step_plan(config, data)
    # the arguments are made before the model: they make ZeRO-3 shard it while it is loaded
    arguments = build_trainer.training_arguments(config, folder, plan)
    model = models.load_model(config)
    layout = build_trainer.checkpoint_layout(config, arguments)
    last, sentence = checkpoints.place_to_continue(folder, layout, clean=arguments.process_index == 0)
    if sentence:
        data = dataclasses.replace(data, notes=(sentence, *data.notes))
    trainer = build_trainer.make_trainer(config, arguments, model, data, plan, folder)
    trainer.train(resume_from_checkpoint=None if last is None else str(last))
    build_trainer.save(config, trainer, data.chat.tokenizer, folder)
    build_trainer.destroy_process_group()


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
