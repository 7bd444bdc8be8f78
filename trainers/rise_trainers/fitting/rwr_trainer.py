"""`RWRTrainer`: `transformers.Trainer` with the weighted loss.

The loss of one optimizer step is `sum of coefficient * nll / sum of counts`. Both sums are over the global
batch, that is over all forward passes of all ranks, so the gradient is the same for every micro batch size,
number of ranks and ZeRO stage.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any, cast

import torch
import transformers
from deepspeed.runtime.utils import clip_grad_norm_
from torch.utils.data import DataLoader

from rise_trainers.data.batch_sampler import RankBatches
from rise_trainers.data.dataset import EMPTY_EXAMPLE, Batch, Example
from rise_trainers.loss.sequence_loss import sequence_loss


class ExampleDataset(torch.utils.data.Dataset[Example]):
    """Examples by index; index -1 is an example that trains nothing."""

    def __init__(self, examples: Sequence[Example]) -> None:
        self._examples = examples

    def __len__(self) -> int:
        return len(self._examples)

    def __getitem__(self, index: int) -> Example:
        return EMPTY_EXAMPLE if index < 0 else self._examples[index]


class _Loader(DataLoader[Example]):
    """Passes the epoch to the batch sampler. The Trainer does this only when it skips batches to resume."""

    def set_epoch(self, epoch: int) -> None:
        """Set the epoch of the next iteration, which decides the order."""
        cast(RankBatches, self.batch_sampler).set_epoch(epoch)


class _GradientNorm(transformers.TrainerCallback):  # type: ignore[misc]
    """Keeps the norm of the gradients in ZeRO stage 0 with float32 weights, where DeepSpeed does not.

    `transformers.Trainer` logs the norm that the DeepSpeed engine has.

    Args:
        trainer: The trainer; its engine exists when training begins.
    """

    def __init__(self, trainer: Any) -> None:
        self._trainer = trainer

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Replace the engine's clipping, which does not keep the norm, by one that does."""
        engine = self._trainer.deepspeed
        if engine is None or engine.zero_optimization() or engine.bfloat16_enabled():
            return
        parameters = list(engine.module.parameters())

        def clip(*_: Any) -> None:
            # what `engine.get_global_grad_norm` returns
            engine._global_grad_norm = clip_grad_norm_(parameters, max_norm=args.max_grad_norm or math.inf)

        if args.max_grad_norm > 0:
            engine.clip_fp32_gradients = clip
        else:
            engine.optimizer.register_step_pre_hook(clip)


class RWRTrainer(transformers.Trainer):  # type: ignore[misc]
    """Reward-weighted regression.

    Args:
        batches: The batch sampler of this rank.
        collate: Makes a batch of examples: `dataset.collate_padded` or `dataset.collate_packed`.
        **arguments: Arguments of `transformers.Trainer`; `train_dataset` must be an `ExampleDataset`.
    """

    # "ga" is gradient accumulation: the normalizer already covers all forward passes of a step
    loss_is_scaled_for_ga = True

    def __init__(
        self, *, batches: RankBatches, collate: Callable[[Sequence[Example]], Batch], **arguments: Any
    ) -> None:
        self._batches = batches
        self._collate = collate
        super().__init__(**arguments)
        self.add_callback(_GradientNorm(self))

    def get_train_dataloader(self) -> DataLoader[Example]:
        """Return the batches of this rank."""
        return _Loader(self.train_dataset, batch_sampler=self._batches, collate_fn=self._collate)

    def get_batch_samples(
        self, epoch_iterator: Iterator[Batch], num_batches: int, device: torch.device
    ) -> tuple[list[Batch], torch.Tensor]:
        """Return the batches of the next optimizer step, and the sum of their counts over all ranks.

        After the last step there are none. The base class would otherwise train one more step when a fit of a
        fractional number of epochs continues from the checkpoint of its last step.
        """
        if self.state.global_step >= self.state.max_steps:
            num_batches = 0
        batches = [batch for _, batch in zip(range(num_batches), epoch_iterator, strict=False)]
        count = sum((batch["count"] for batch in batches), torch.zeros((), dtype=torch.float64))
        total = self.accelerator.reduce(count.to(device, torch.float32), reduction="sum")
        return batches, total

    def _prepare_inputs(self, inputs: Batch) -> Batch:
        """Move a batch to the device.

        The method of the base class also converts floating point tensors to the type of the model. In
        bfloat16 it would round the weights of the replies.
        """
        return {name: tensor.to(self.args.device) for name, tensor in inputs.items()}

    def _save(self, output_dir: str | None = None, state_dict: dict[str, torch.Tensor] | None = None) -> None:
        """Save the model without copies of tied weights.

        DeepSpeed returns weights that share no memory, so transformers would save a tied output layer twice.
        """
        tied = getattr(self.accelerator.unwrap_model(self.model), "all_tied_weights_keys", None) or {}
        if state_dict is not None:
            state_dict = {
                name: tensor
                for name, tensor in state_dict.items()
                if name not in tied or tied[name] not in state_dict
            }
        super()._save(output_dir, state_dict)

    def compute_loss(
        self,
        model: torch.nn.Module,
        inputs: Batch,
        return_outputs: bool = False,
        num_items_in_batch: torch.Tensor | None = None,
    ) -> Any:
        """Return the loss of one forward pass.

        It is multiplied by the number of ranks, because DeepSpeed averages the gradients of the ranks.
        """
        normalizer = inputs["count"] if num_items_in_batch is None else num_items_in_batch
        loss = sequence_loss(model, inputs, normalizer=normalizer)
        loss = loss * self.accelerator.num_processes
        return (loss, {}) if return_outputs else loss
