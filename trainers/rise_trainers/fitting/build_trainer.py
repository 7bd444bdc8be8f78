"""Builds the trainer of one rank from the settings of a fit, and saves the trained model."""

import dataclasses
import json
import os
import secrets
from functools import partial
from importlib import resources
from pathlib import Path
from typing import Any

import deepspeed
import torch
import transformers

from rise_trainers.checks import size_check
from rise_trainers.checks.deepspeed_file import read_deepspeed_file
from rise_trainers.checks.generation_config import mend_generation_config
from rise_trainers.checks.packing_check import PackingCheck
from rise_trainers.data.batch_sampler import RankBatches
from rise_trainers.data.dataset import collate_packed, collate_padded
from rise_trainers.data.optimizer_steps import StepPlan, describe_steps, plan_steps
from rise_trainers.fitting.checkpoints import MarkComplete, layout
from rise_trainers.fitting.config import FitConfig
from rise_trainers.fitting.metrics_log import MetricsLog
from rise_trainers.fitting.models import merge_adapters
from rise_trainers.fitting.paths import MODEL
from rise_trainers.fitting.prepare_data import Prepared
from rise_trainers.fitting.rwr_trainer import ExampleDataset, RWRTrainer
from rise_trainers.policies.first_model import FirstModelLogprobs
from rise_trainers.policies.forward_passes import ForwardPasses
from rise_trainers.policies.policy_metrics import PolicyMetrics


def deepspeed_settings(config: FitConfig) -> dict[str, Any]:
    """Return the DeepSpeed configuration: the user's file, completed, or the packaged one for the ZeRO stage.

    The number format of accumulated gradients is added, unless the file has one. DeepSpeed has no float32
    accumulation in ZeRO stage 0 with bfloat16 weights.
    """
    if config.deepspeed is not None:
        settings = read_deepspeed_file(config)
    else:
        name = f"zero{config.zero_stage}{'_offload' if config.offload else ''}.json"
        settings = json.loads((resources.files("rise_trainers.deepspeed") / name).read_text())
    stage = settings.get("zero_optimization", {}).get("stage", 0)
    if config.dtype == "bfloat16" and stage > 0:
        accumulated = {"float32": "fp32", "bfloat16": "bf16"}[config.grad_accum_dtype]
        settings["data_types"] = {"grad_accum_dtype": accumulated, **settings.get("data_types", {})}
        if stage == 1:  # it sums over the ranks what was accumulated, and would round it to bfloat16 before
            settings.setdefault("communication_data_type", accumulated)
    return settings


def step_plan(config: FitConfig, data: Prepared) -> StepPlan:
    """Return which sequences each optimizer step trains."""
    return plan_steps(data.examples, batch_size=config.batch_size, epochs=config.epochs, seed=config.seed)


def training_arguments(config: FitConfig, folder: Path, plan: StepPlan) -> Any:
    """Start the communication between the ranks, and return the `transformers.TrainingArguments`."""
    ranks = int(os.environ.get("WORLD_SIZE", "1"))
    use_cpu = config.device == "cpu" or (config.device == "auto" and not torch.cuda.is_available())
    if use_cpu:
        _disable_shared_memory_op()
    result = transformers.TrainingArguments(
        output_dir=str(folder),
        deepspeed=deepspeed_settings(config),
        use_cpu=use_cpu,
        bf16=config.dtype == "bfloat16",
        per_device_train_batch_size=config.micro_batch_size,
        gradient_accumulation_steps=plan.passes(config.micro_batch_size, ranks),
        num_train_epochs=config.epochs,
        learning_rate=config.learning_rate,
        lr_scheduler_type=config.scheduler,
        warmup_steps=config.warmup,
        weight_decay=config.weight_decay,
        max_grad_norm=config.max_grad_norm,
        gradient_checkpointing=config.gradient_checkpointing,
        seed=config.seed,
        logging_steps=config.log_every,
        logging_nan_inf_filter=False,
        save_steps=config.save_every,
        save_total_limit=config.keep_checkpoints,
        report_to=list(config.report_to),
        run_name=Path(config.output).name,
        disable_tqdm=True,
        remove_unused_columns=False,
        dataloader_pin_memory=False,
    )
    if "wandb" in config.report_to and os.environ.get("RANK", "0") == "0":
        _configure_wandb(folder)
    _ = result.device  # this property starts the communication between the ranks
    deepspeed.init_distributed(verbose=False)  # ZeRO-3 needs it before the model is loaded
    return result


def _configure_wandb(folder: Path) -> None:
    """Make transformers, which starts W&B, log a continued fit to the W&B run that the fit began.

    Environment variables that the user has set take precedence.
    """
    kept = folder / "wandb-id"
    if not kept.exists():
        kept.write_text(secrets.token_hex(4))
    os.environ.setdefault("WANDB_RUN_ID", kept.read_text())
    os.environ.setdefault("WANDB_RESUME", "allow")
    os.environ.setdefault("WANDB_DIR", str(folder))


def _disable_shared_memory_op() -> None:
    """Keep DeepSpeed from compiling its all-reduce for CPU ranks.

    Compiling takes a minute, and the gloo backend, which CPU ranks use, has an all-reduce of its own.
    """
    deepspeed.ops.__compatible_ops__["deepspeed_shm_comm"] = False


def checkpoint_layout(config: FitConfig, args: Any) -> dict[str, Any]:
    """Return which parts the checkpoints of this fit have; `args` are its `training_arguments`."""
    return layout(config, deepspeed_settings(config), args.world_size, args.device.type)


def make_trainer(
    config: FitConfig, args: Any, model: Any, data: Prepared, plan: StepPlan, folder: Path
) -> RWRTrainer:
    """Return the trainer of this rank."""
    batches = RankBatches(
        plan,
        [len(example) for example in data.examples],
        passes=args.gradient_accumulation_steps,
        rank=args.process_index,
        ranks=args.world_size,
    )
    tokenizer = data.chat.tokenizer
    notes = size_check.check_model(model.config, tokenizer, max_length=config.max_length)
    notes += mend_generation_config(model.generation_config)
    notes += describe_steps(data.examples, plan, batch_size=config.batch_size)
    data = dataclasses.replace(data, notes=(*data.notes, *notes))
    metrics = MetricsLog(folder, data, plan)
    callbacks: list[Any] = [MarkComplete(checkpoint_layout(config, args)), metrics]
    if config.packed and config.micro_batch_size > 1:
        callbacks.insert(0, PackingCheck(data.examples))
    pad = tokenizer.pad_token_id if tokenizer.pad_token_id is not None else tokenizer.eos_token_id or 0
    collate = collate_packed if config.packed else partial(collate_padded, pad_id=pad)
    passes = ForwardPasses(collate, config.micro_batch_size)
    measuring: list[Any] = [PolicyMetrics(folder, data.sample, passes, log=metrics.append)]
    if config.kl_penalty:
        measuring.append(FirstModelLogprobs(folder, data.examples, passes))
    trainer = RWRTrainer(
        batches=batches,
        collate=collate,
        model=model,
        args=args,
        train_dataset=ExampleDataset(data.examples),
        callbacks=[*callbacks, *measuring],
    )
    for callback in measuring:
        callback.trainer = trainer
    return trainer


def save(config: FitConfig, trainer: RWRTrainer, tokenizer: Any, folder: Path) -> None:
    """Save model and tokenizer for transformers in a temporary folder, and rename it when it is complete."""
    unfinished = folder / (MODEL + ".new")
    merge = config.lora is not None and config.lora.merge
    trainer.save_model(str(folder / "adapters" if merge else unfinished))
    if trainer.args.process_index == 0:
        if merge:
            merge_adapters(config, folder / "adapters", unfinished)
        tokenizer.save_pretrained(unfinished)
        (unfinished / "training_args.bin").unlink(missing_ok=True)
        unfinished.rename(folder / MODEL)
    if torch.distributed.is_initialized():
        torch.distributed.barrier()


def destroy_process_group() -> None:
    """End the communication between the ranks; a process that exits without this may abort."""
    if torch.distributed.is_initialized():
        torch.distributed.barrier()
        torch.distributed.destroy_process_group()
