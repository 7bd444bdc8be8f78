"""Gradients of RWRTrainer, read from one step of plain gradient descent with learning rate 1.

As a script it is one rank of some rows of the equivalence table:

    gradients.py OUTPUT.pt ZERO_STAGE
"""

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

from rise_trainers.batches import RankBatches
from rise_trainers.dataset import collate_packed, collate_padded, make_examples
from rise_trainers.rwr_trainer import ExampleDataset, RWRTrainer
from rise_trainers.selection import Selection, Target, select
from rise_trainers.tokenization import ChatTokenizer, tokenize
from tests.rise_trainers import toys

BATCH = 8
EPISODES = 7
"""One less than a batch, so that some forward pass is a filler."""


def problem() -> tuple[ChatTokenizer, list[Target], list[float]]:
    """Return what every row of the table trains on."""
    targets = select(toys.trajectories(EPISODES, seed=3), Selection())
    weights = np.random.default_rng(0).random(len(targets)) * 12 + 0.1
    return ChatTokenizer(toys.tokenizer()), targets, weights.tolist()


def model(chat: ChatTokenizer) -> Any:
    """Return the model that every row trains."""
    return toys.tiny_llama(toys.VOCABULARY)


def one_step(
    *,
    micro_batch: int,
    ranks: int = 1,
    rank: int = 0,
    zero: int | None = None,
    packed: bool = False,
    normalize: Any = "token",
) -> dict[str, Tensor]:
    """Return the gradient of one optimizer step over `BATCH` sequences."""
    chat, targets, weights = problem()
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
            gradient_accumulation_steps=BATCH // (micro_batch * ranks),
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
                [len(e) for e in examples],
                batch_size=BATCH,
                micro_batch_size=micro_batch,
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


def rows(ranks: int) -> list[tuple[int, bool]]:
    """Return micro batch and packing of the rows that one group of ranks computes."""
    return [(micro, packed) for micro in (1, 2, 8) for packed in (False, True) if micro * ranks <= BATCH]


if __name__ == "__main__":
    import deepspeed
    from accelerate.state import AcceleratorState

    deepspeed.ops.__compatible_ops__["deepspeed_shm_comm"] = False
    this, world = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
    found = {}
    for row in rows(world):
        found[row] = one_step(
            micro_batch=row[0], ranks=world, rank=this, zero=int(sys.argv[2]), packed=row[1]
        )
        AcceleratorState._reset_state()
        print("done", row, flush=True)
    if this == 0:
        torch.save(found, Path(sys.argv[1]))
