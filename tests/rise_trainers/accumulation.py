"""How exactly a bfloat16 fit adds up the gradients of its forward passes, in each ZeRO stage.

    python -m tests.rise_trainers.accumulation OUTPUT.json

writes for each stage the relative error of the gradient of one optimizer step, with float32 and with bfloat16
accumulation, against the exact sum of the bfloat16 gradients of its forward passes.
"""

import json
import os
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers
from torch import Tensor

from rise_trainers.data.batch_sampler import RankBatches
from rise_trainers.data.dataset import Example, collate_padded, make_examples
from rise_trainers.data.optimizer_steps import plan_steps
from rise_trainers.data.tokenization import tokenize
from rise_trainers.fitting import build_trainer
from rise_trainers.fitting.config import FitConfig
from rise_trainers.fitting.launcher import free_port
from rise_trainers.fitting.rwr_trainer import ExampleDataset, RWRTrainer
from rise_trainers.loss.sequence_loss import sequence_loss
from tests.rise_trainers import gradients
from tests.rise_trainers.loss.reference import relative_error

SEQUENCES = 32
"""Forward passes of the step, one sequence each."""


def expected(model: Any, examples: list[Example]) -> dict[str, Tensor]:
    """Return the sum, in float64, of the bfloat16 gradients of the sequences."""
    normalizer = sum(example.count for example in examples)
    total = {name: torch.zeros_like(p, dtype=torch.float64) for name, p in model.named_parameters()}
    for example in examples:
        model.zero_grad()
        sequence_loss(model, collate_padded([example]), normalizer=normalizer).backward()
        for name, p in model.named_parameters():
            total[name] += p.grad.double()
    model.zero_grad()
    return total


def error(stage: Any, accumulated: Any) -> float:
    """Return the relative error of the gradient of one optimizer step."""
    from accelerate.state import AcceleratorState
    from deepspeed.utils import safe_get_full_fp32_param

    chat, targets, weights = gradients.problem(SEQUENCES + 1)
    examples = make_examples(tokenize(chat, targets, max_length=1000).sequences, np.array(weights))
    model = gradients.model(chat).bfloat16()
    before = {name: p.detach().double() for name, p in model.named_parameters()}
    reference = expected(model, examples)
    config = FitConfig(
        data=("s",), model="m", output="o", zero_stage=stage, dtype="bfloat16", grad_accum_dtype=accumulated
    )
    with tempfile.TemporaryDirectory() as folder:
        arguments = transformers.TrainingArguments(
            output_dir=folder,
            use_cpu=True,
            bf16=True,
            deepspeed=build_trainer.deepspeed_settings(config),
            per_device_train_batch_size=1,
            gradient_accumulation_steps=SEQUENCES,
            max_steps=1,
            max_grad_norm=0.0,
            lr_scheduler_type="constant",
            learning_rate=1.0,
            save_strategy="no",
            report_to=[],
            disable_tqdm=True,
            remove_unused_columns=False,
            dataloader_pin_memory=False,
        )
        trainer = RWRTrainer(
            batches=RankBatches(
                plan_steps(examples, batch_size=len(targets), epochs=1),
                [len(example) for example in examples],
                passes=SEQUENCES,
            ),
            collate=partial(collate_padded, pad_id=0),
            model=model,
            args=arguments,
            train_dataset=ExampleDataset(examples),
            optimizer_cls_and_kwargs=(torch.optim.SGD, {"lr": 1.0}),
        )
        trainer.train()
    found = {
        name: before[name] - safe_get_full_fp32_param(p).double() for name, p in model.named_parameters()
    }
    AcceleratorState._reset_state()
    return relative_error(found, reference)


def main(output: Path) -> None:
    """Write stage -> error with float32 and with bfloat16 accumulation."""
    import deepspeed

    os.environ |= {"RANK": "0", "LOCAL_RANK": "0", "WORLD_SIZE": "1"}
    os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free_port())}
    deepspeed.ops.__compatible_ops__["deepspeed_shm_comm"] = False
    found = {stage: [error(stage, kind) for kind in ("float32", "bfloat16")] for stage in (1, 2, 3)}
    output.write_text(json.dumps(found))
    torch.distributed.destroy_process_group()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
