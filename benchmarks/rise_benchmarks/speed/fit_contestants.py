"""The trainers that are compared on the same trajectories. Each runs in a process and prints a JSON line.

    python -m rise_benchmarks.speed.fit_contestants NAME SETTINGS_AS_JSON

limit      a bare loop of forward, backward and step on the DeepSpeed engine, with batches without padding
rise       RWRTrainer, as `rise fit` runs it
released   the recipe of the released RISE code: one sequence per turn, padded to the longest one, and one
           sequence per forward pass
trl        TRL's SFTTrainer on the same sequences and masks, without weights
"""

import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch

from rise_trainers.data.dataset import Batch, collate_padded
from rise_trainers.fitting import build_trainer, models
from rise_trainers.fitting.config import FitConfig
from rise_trainers.fitting.prepare_data import Prepared, prepare

WARM_UP = 2
"""Optimizer steps that are not timed.

All times are CPU times of the process. With one thread per trainer, they hardly depend on other programs."""


def steps(data: Prepared, config: FitConfig) -> int:
    """Return the optimizer steps of one epoch."""
    return build_trainer.step_plan(config, data).steps_per_epoch


def passes_per_step(data: Prepared, config: FitConfig) -> int:
    """Return the forward passes of one optimizer step."""
    return build_trainer.step_plan(config, data).passes(config.micro_batch_size, ranks=1)


def rise(config: FitConfig, data: Prepared, tokenizer: Any) -> float:
    """Return seconds per optimizer step of RWRTrainer."""
    import transformers

    class Clock(transformers.TrainerCallback):  # type: ignore[misc]
        def __init__(self) -> None:
            self.times: list[float] = []

        def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            self.times.append(time.process_time())

    with tempfile.TemporaryDirectory() as folder:
        plan = build_trainer.step_plan(config, data)
        arguments = build_trainer.training_arguments(config, Path(folder), plan)
        arguments.save_strategy = "no"
        trainer = build_trainer.make_trainer(
            config, arguments, models.load_model(config), data, plan, Path(folder)
        )
        clock = Clock()
        trainer.add_callback(clock)
        trainer.train()
    return _mean(clock.times)


def limit(config: FitConfig, data: Prepared, tokenizer: Any) -> float:
    """Return seconds per optimizer step of a bare loop over the same number of tokens, without padding."""
    tokens = sum(len(example) for example in data.examples)
    length = round(tokens / len(data.examples))
    passes = passes_per_step(data, config)

    def batches() -> Iterator[Batch]:
        generator = torch.Generator().manual_seed(0)
        while True:
            shape = (config.micro_batch_size, length)
            ids = torch.randint(5, len(tokenizer), shape, generator=generator)
            yield {"input_ids": ids, "labels": ids}

    return _engine_loop(config, batches(), passes, steps(data, config), lambda out, _: out.loss / passes)


def released(config: FitConfig, data: Prepared, tokenizer: Any) -> float:
    """Return seconds per optimizer step, with as many trajectories per step as the other trainers have."""
    longest = max(len(example) for example in data.examples)
    per_turn = list(_prefixes(data))
    passes = round(len(per_turn) / steps(data, config))

    def batches() -> Iterator[Batch]:
        while True:
            for example in per_turn:
                batch = collate_padded([example], pad_id=0)
                missing = longest - len(example)
                rows = {name: tensor for name, tensor in batch.items() if tensor.dim() == 2}
                padded = {k: torch.nn.functional.pad(v, (0, missing)) for k, v in rows.items()}
                padded["attention_mask"] = (torch.arange(longest) < len(example)).long()[None]
                yield padded

    def loss(out: Any, batch: Batch) -> torch.Tensor:
        coefficients = batch["coefficients"][:, 1:]
        labels = torch.where(coefficients > 0, batch["input_ids"][:, 1:], -100)
        nll = torch.nn.functional.cross_entropy(out.logits[:, :-1].flatten(0, 1).float(), labels.flatten())
        return nll * coefficients.max() / passes

    return _engine_loop(config, batches(), passes, min(steps(data, config), WARM_UP + 3), loss)


def trl(config: FitConfig, data: Prepared, tokenizer: Any) -> float:
    """Return seconds per optimizer step of TRL's SFTTrainer."""
    import datasets
    import transformers
    from trl import SFTConfig, SFTTrainer

    times: list[float] = []

    class Clock(transformers.TrainerCallback):  # type: ignore[misc]
        def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            times.append(time.process_time())

    rows = {
        "input_ids": [example.ids.tolist() for example in data.examples],
        "labels": [np.where(e.coefficients > 0, e.ids, -100).tolist() for e in data.examples],
    }
    with tempfile.TemporaryDirectory() as folder:
        arguments = SFTConfig(
            output_dir=folder,
            deepspeed=build_trainer.deepspeed_settings(config),
            use_cpu=True,
            bf16=config.dtype == "bfloat16",
            per_device_train_batch_size=config.micro_batch_size,
            gradient_accumulation_steps=passes_per_step(data, config),
            train_sampling_strategy="group_by_length",
            num_train_epochs=config.epochs,
            learning_rate=config.learning_rate,
            gradient_checkpointing=False,
            max_length=config.max_length,
            logging_steps=1,
            save_strategy="no",
            report_to=[],
            disable_tqdm=True,
            dataloader_pin_memory=False,
            dataset_kwargs={"skip_prepare_dataset": True},
        )
        trainer = SFTTrainer(
            model=models.load_model(config),
            args=arguments,
            train_dataset=datasets.Dataset.from_dict(rows),
            processing_class=tokenizer,
        )
        trainer.add_callback(Clock())
        trainer.train()
    return _mean(times)


CONTESTANTS: dict[str, Callable[[FitConfig, Prepared, Any], float]] = {
    "limit": limit,
    "rise": rise,
    "released": released,
    "trl": trl,
}


def _engine_loop(
    config: FitConfig,
    batches: Iterator[Batch],
    passes: int,
    count: int,
    loss_of: Callable[[Any, Batch], torch.Tensor],
) -> float:
    import deepspeed

    model = models.load_model(config).train()
    settings = json.loads(json.dumps(build_trainer.deepspeed_settings(config)))
    settings |= {
        "train_micro_batch_size_per_gpu": config.micro_batch_size,
        "gradient_accumulation_steps": passes,
        "train_batch_size": config.micro_batch_size * passes,
        "gradient_clipping": config.max_grad_norm,
        "bf16": {"enabled": config.dtype == "bfloat16"},
    }
    optimizer = torch.optim.AdamW(model.parameters(), lr=config.learning_rate)
    engine, *_ = deepspeed.initialize(model=model, optimizer=optimizer, config=settings)
    times = []
    for _ in range(count):
        for _ in range(passes):
            batch = next(batches)
            inputs = {k: v for k, v in batch.items() if k != "coefficients"}
            loss = loss_of(engine(**inputs, use_cache=False), batch)
            engine.backward(loss, scale_wrt_gas=False)
            engine.step()
        times.append(time.process_time())
    return _mean(times)


def _prefixes(data: Prepared) -> Iterator[Any]:
    """Yield one sequence per turn: the trajectory up to its reply, of which only the reply is trained."""
    from rise_trainers.data.dataset import Example

    for example in data.examples:
        trained = np.concatenate([[0], (example.coefficients > 0).astype(int), [0]])
        starts, stops = np.flatnonzero(np.diff(trained) == 1), np.flatnonzero(np.diff(trained) == -1)
        for start, stop in zip(starts, stops, strict=True):
            coefficients = np.zeros(stop, dtype=np.float32)
            coefficients[start:stop] = example.coefficients[start:stop]
            yield Example(example.ids[:stop], coefficients, float(stop - start))


def _mean(times: list[float]) -> float:
    return (times[-1] - times[WARM_UP - 1]) / (len(times) - WARM_UP)


def main(name: str, config: FitConfig) -> None:
    """Run one trainer and print its time per step and its tokens per second."""
    os.environ.setdefault("RANK", "0")
    os.environ.setdefault("LOCAL_RANK", "0")
    os.environ.setdefault("WORLD_SIZE", "1")
    os.environ.setdefault("MASTER_ADDR", "127.0.0.1")
    data = prepare(config)
    if name in ("limit", "released"):  # the arguments start the communication between the ranks
        unused = Path(tempfile.gettempdir()) / "unused"
        build_trainer.training_arguments(config, unused, build_trainer.step_plan(config, data))
    seconds = CONTESTANTS[name](config, data, data.chat.tokenizer)
    tokens = sum(len(example) for example in data.examples) / steps(data, config)
    result = {"name": name, "seconds_per_step": seconds, "tokens_per_s": tokens / seconds}
    print("RESULT " + json.dumps(result))


if __name__ == "__main__":
    from rise_trainers.fitting.config import from_json

    main(sys.argv[1], from_json(json.loads(sys.argv[2])))
