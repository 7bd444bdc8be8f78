"""Gradients of RWRTrainer, read from one step of plain gradient descent with learning rate 1.

As a script it is one rank of some rows of the equivalence table:

    gradients.py OUTPUT.pt ZERO_STAGE
"""

import gc
import itertools
import json
import os
import sys
import tempfile
from functools import partial
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers
from torch import Tensor

from rise_trainers.data.batch_sampler import RankBatches
from rise_trainers.data.dataset import collate_packed, collate_padded, make_examples
from rise_trainers.data.encoding import ChatTokenizer
from rise_trainers.data.optimizer_steps import plan_steps
from rise_trainers.data.targets import Selection, TrainingTarget, select_targets
from rise_trainers.data.tokenization import tokenize
from rise_trainers.fitting.rwr_trainer import ExampleDataset, RWRTrainer
from tests.rise_trainers import small_models

Row = tuple[int, int, bool]
"""Micro batch, forward passes of each rank in one step, whether packed."""


def problem(batch: int) -> tuple[ChatTokenizer, list[TrainingTarget], list[float]]:
    """Return what a step over a batch of this size trains on.

    It is one sequence less than the batch has room for, so that ranks and forward passes have unequal work,
    and some have none.
    """
    targets = select_targets(small_models.trajectories(max(1, batch - 1), seed=3), Selection())
    weights = np.random.default_rng(0).random(len(targets)) * 12 + 0.1
    return ChatTokenizer(small_models.chat(small_models.tokenizer())), targets, weights.tolist()


def model(chat: ChatTokenizer) -> Any:
    """Return the model that every row trains."""
    return small_models.tiny_llama(small_models.VOCABULARY)


def one_step(
    *,
    micro_batch: int,
    passes: int,
    ranks: int = 1,
    rank: int = 0,
    zero: int | None = None,
    packed: bool = False,
    normalize: Any = "token",
) -> dict[str, Tensor]:
    """Return the gradient of one optimizer step of so many forward passes per rank."""
    batch = micro_batch * passes * ranks
    chat, targets, weights = problem(batch)
    examples = make_examples(
        tokenize(chat, targets, max_length=1000).sequences, np.array(weights), normalize=normalize
    )
    settings = None
    if zero is not None:
        settings = json.loads((resources.files("rise_trainers.deepspeed") / f"zero{zero}.json").read_text())
    with tempfile.TemporaryDirectory() as folder:
        arguments = transformers.TrainingArguments(
            output_dir=folder,
            use_cpu=True,
            deepspeed=settings,
            per_device_train_batch_size=micro_batch,
            gradient_accumulation_steps=passes,
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
        llama = model(chat)
        before = {name: p.detach().clone() for name, p in llama.named_parameters()}
        trainer = RWRTrainer(
            batches=RankBatches(
                plan_steps(examples, batch_size=len(targets), epochs=1),
                [len(e) for e in examples],
                passes=passes,
                rank=rank,
                ranks=ranks,
            ),
            collate=collate_packed if packed else partial(collate_padded, pad_id=0),
            model=llama,
            args=arguments,
            train_dataset=ExampleDataset(examples),
            optimizer_cls_and_kwargs=(torch.optim.SGD, {"lr": 1.0}),
        )
        trainer.remove_callback(transformers.PrinterCallback)
        trainer.train()
        after = trainer.accelerator.get_state_dict(trainer.model_wrapped)
    return {} if after is None else {name: before[name] - after[name].float() for name in before}


def rows() -> list[Row]:
    """Return the rows that one group of ranks computes."""
    return list(itertools.product((1, 2, 8), (1, 3), (False, True)))


def main(output: Path, stage: int) -> None:
    """Compute all rows as one rank; rank 0 writes them."""
    import deepspeed
    import torch.distributed
    from accelerate.state import AcceleratorState

    gc.freeze()  # the Trainer collects garbage several times per row; what libraries made at import is none
    deepspeed.ops.__compatible_ops__["deepspeed_shm_comm"] = False
    this, world = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
    found = {}
    for row in rows():
        micro_batch, passes, packed = row
        found[row] = one_step(
            micro_batch=micro_batch, passes=passes, ranks=world, rank=this, zero=stage, packed=packed
        )
        AcceleratorState._reset_state()
        print("done", row, flush=True)
    if this == 0:
        torch.save(found, output)
    torch.distributed.barrier()
    torch.distributed.destroy_process_group()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
