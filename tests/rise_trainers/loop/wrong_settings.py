"""Wrong settings of `rise run`, with a text of the message that refuses each of them.

`{tmp}` stands for the folder of `make_files`.
"""

import json
import shutil
from pathlib import Path
from typing import Any

from rise_trainers.fitting.paths import model_path

Case = tuple[list[str], str]
"""Arguments of `rise run`, and what the message must contain: the value, or what to do."""


def fit(**settings: Any) -> list[str]:
    return ["--fit", json.dumps(settings)]


def agent(**settings: Any) -> list[str]:
    return ["--agent.settings", json.dumps(settings)]


def problems(**settings: Any) -> list[str]:
    return ["--problems.settings", json.dumps(settings)]


def teacher(spec: str, **settings: Any) -> list[str]:
    return ["--improve.teacher", spec, "--improve.teacher_settings", json.dumps(settings)]


def own_file(**settings: Any) -> list[str]:
    """Return arguments with a DeepSpeed file whose name is its content; `make_files` writes it."""
    return fit(deepspeed="{tmp}/" + json.dumps(settings).replace('"', "'") + ".json")


def own_file_and(zero: dict[str, Any], more: dict[str, Any]) -> list[str]:
    name = own_file(zero_optimization=zero)[1]
    return fit(**json.loads(name), **more)


NO_SOLUTIONS = [
    *("--env", "RISE-Custom-v0", "--problems.train", "1", "--problems.settings"),
    '{"dataset": "{tmp}/no_solutions.jsonl"}',
]

CASES: list[Case] = [
    # the types and ranges of the settings of a fit
    (fit(dtype="float16"), "fit.dtype is 'float16'"),
    (fit(zero_stage=7), "fit.zero_stage is 7: there are: 0, 1, 2, 3"),
    (fit(packed="perhaps"), "fit.packed is 'perhaps'"),
    (fit(think="no"), "there are: keep, mask, drop"),
    (fit(thinking="loud"), "there are: template, show, hide"),
    (fit(normalize="x"), "there are: token, reply"),
    (fit(device="tpu"), "fit.device is 'tpu'"),
    (fit(attention="foo"), "attention is 'foo', which transformers does not have"),
    (fit(scheduler="cosin"), "did you mean 'cosine'?"),
    (fit(scheduler="reduce_lr_on_plateau"), "fit.scheduler is 'reduce_lr_on_plateau'"),
    (fit(seed=-1), "fit.seed is set by the loop"),
    (fit(learning_rat=1), "did you mean 'learning_rate'?"),
    (fit(learning_rate="fast"), "fit.learning_rate is 'fast'"),
    (fit(learning_rate=-1e-5), "learning_rate must be positive, got -1e-05"),
    (fit(learning_rate=float("inf")), "learning_rate must be a finite number, got inf"),
    (fit(epochs=0), "epochs must be positive, got 0.0"),
    (fit(warmup=1.5), "warmup must be a fraction of the steps in [0, 1), got 1.5"),
    (fit(max_grad_norm=-1), "max_grad_norm must be at least 0, got -1.0"),
    (fit(weight_decay=-0.1), "weight_decay must be at least 0, got -0.1"),
    (fit(kl_penalty=-1), "kl_penalty must be at least 0, got -1.0"),
    (fit(tau=0), "tau must be positive, got 0.0"),
    (fit(weights="expo"), "did you mean 'exp'?"),
    (fit(negative_weights=True), "negative_weights is a setting of the weights centred_exp"),
    (fit(selection={"criterion": "bets"}), "fit.selection.criterion is 'bets'"),
    (fit(batch_size=0), "batch_size must be at least 1, got 0"),
    (fit(ranks=0), "ranks must be at least 1, got 0"),
    (fit(threads=0), "threads must be at least 1, got 0"),
    (fit(keep_checkpoints=1), "keep_checkpoints must be at least 2, got 1"),
    (fit(date="yesterday"), "date must be YYYY-MM-DD, got 'yesterday'"),
    (fit(template_options={"messages": 1}), "template_options must not hold messages"),
    (fit(report_to="wandb"), "fit.report_to is 'wandb': expected list"),
    (fit(report_to=["tensorbord"]), "did you mean 'tensorboard'?"),
    (fit(lora={"alpha": -1}), "lora.alpha must be a positive number, got -1.0"),
    (fit(lora={"dropout": 1.5}), "lora.dropout must be a probability in [0, 1), got 1.5"),
    (fit(lora={"bits": 5}), "fit.lora.bits is 5: there are: 4, 8"),
    (["--boost.fit", '{"scheduler": "x"}'], "boost.fit.scheduler is 'x'"),
    # settings of a fit that contradict each other or the run
    (fit(offload=True), "offload needs zero_stage 2 or 3, got 1"),
    (fit(dtype="bfloat16", zero_stage=0), "set zero_stage to 1, or grad_accum_dtype to bfloat16"),
    (fit(lora={"bits": 4}, zero_stage=3), "stage 3 cannot shard quantised weights"),
    (fit(adapter="{tmp}", zero_stage=3), "stage 3 cannot merge it into sharded weights"),
    (fit(adapter="{tmp}"), "name the merged folder in agent.model"),
    (fit(lora={"merge": False}), "fit.lora.merge is false"),
    (fit(revision="v9"), "fit.revision is 'v9' and agent.settings.revision is None"),
    (fit(chat_template="{tmp}/other.jinja"), "give the fit the settings of the agent"),
    # a DeepSpeed file of the user's own
    (fit(deepspeed="{tmp}/none.json"), "correct the setting deepspeed"),
    (fit(deepspeed="{tmp}/no.jinja"), "is not valid JSON"),
    (own_file(zero_optimization={"stage": 4}), "zero_optimization.stage must be 0, 1, 2 or 3, got 4"),
    (
        own_file(zero_optimization={"stage": 3, "stage3_gather_16bit_weights_on_model_save": False}),
        "no weights would be saved: set it to true",
    ),
    (own_file(gradient_clipping=0.5), "gradient_clipping is 0.5, but the setting max_grad_norm, which is 1"),
    (own_file(train_batch_size=8), "train_batch_size is 8, but the setting batch_size decides it"),
    (own_file(bf16={"enabled": True}), "bf16.enabled is True, but the setting dtype is 'float32'"),
    (own_file(fp16={"enabled": True}), "fp16 is enabled"),
    (own_file(scheduler={"type": "WarmupLR"}), "delete it, and use the settings scheduler and warmup"),
    (
        own_file_and({"stage": 0}, {"dtype": "bfloat16"}),
        "grad_accum_dtype float32 needs zero_stage 1, 2 or 3",
    ),
    (own_file_and({"stage": 3}, {"lora": {"bits": 4}}), "stage 3 cannot shard quantised weights"),
    # files and libraries that are not on this machine
    (fit(hostfile="{tmp}/hosts"), "correct the setting hostfile"),
    (fit(chat_template="{tmp}/none.jinja"), "chat_template must be the path of a Jinja file"),
    (["--agent.model", "{tmp}/none"], "a model folder must have a config.json"),
    (["--agent.model", "{tmp}/no_weights"], "has a config.json and no weights"),
    (["--agent.model", "{tmp}/no_template"], "has no chat template"),
    (["--agent.model", "{tmp}/many_tokens"], "resize the embeddings of the model"),
    (["--agent.model", "{tmp}/unsavable"], "Correct this file in the model's folder"),
    (["--agent.model", "{tmp}/unknown_type"], "cannot "),
    # adapters, attention and packing that do not fit the model
    (
        ["--agent.model", "{tmp}/mamba", *fit(packed=True)],
        "packed: true does not work with model type 'mamba'",
    ),
    (fit(lora={"targets": ["foo"]}), "lora.targets has 'foo', and the model has no such layer"),
    (fit(lora={"targets": ["all-linear", "q_proj"]}), '"all-linear" stands alone'),
    (fit(lora={"targets": []}), "lora.targets is empty"),
    # the agent that plays
    (["--agent.backend", "vlm"], "did you mean 'vllm'?"),
    (["--agent.backend", "replay"], "name an agent whose argument is a model"),
    (agent(dtype="float17"), "dtype is 'float17'"),
    (agent(device="tpu"), "device is 'tpu', which is no device of torch"),
    (agent(colour=1), "has no setting 'colour'"),
    (agent(max_concurrent_requests=0), "max_concurrent_requests must be at least 1, got 0"),
    (agent(max_batch_tokens=0), "max_batch_tokens must be at least 1, got 0"),
    (agent(prefix_cache_mb=-1), "prefix_cache_mb must be at least 0, got -1"),
    (agent(adapter="{tmp}"), "name the merged folder in agent.model"),
    (agent(chat_template="{tmp}/none.jinja"), "chat_template must be the path of a Jinja file"),
    (agent(date="x"), "date must be YYYY-MM-DD, got 'x'"),
    # teachers and their keys
    (teacher("expret"), "did you mean 'expert'?"),
    (teacher("expert"), "set improve.num_samples to 1"),
    (teacher("openai:gpt"), "write openai:MODEL@URL"),
    (teacher("openai:gpt@https://api.openai.com/v1"), "set the environment variable OPENAI_API_KEY"),
    (teacher("openai:m@http://host/v1", max_usd=1), "max_usd needs prices"),
    (teacher("openai:m@http://host/v1", prices={"input": 1}), "got 'input'"),
    (teacher("openai:m@http://host/v1", attempts=0), "must be at least 1, got 32, 0"),
    (teacher("replay:{tmp}/none.jsonl"), "record one with record=AGENT"),
    (teacher("transformers:{tmp}/none"), "give a model folder or a hub id"),
    (teacher("tiny", dtype="x"), "there are: auto, float32, bfloat16, float16"),
    ([*NO_SOLUTIONS, *teacher("expert"), "--improve.num_samples", "1"], "'expert', which gives the worked"),
    (["--boost.teacher", "expret"], "did you mean 'expert'?"),
    # problems
    (["--env", "RISE-GSM9K-v0"], "did you mean 'RISE-GSM8K-v0'"),
    (["--problems.train_split", "dev"], "no split 'dev'"),
    (["--problems.test", "100000"], "has 1000 problems"),
    (problems(feedback="hint"), "measure with rise evaluate"),
    (
        [*NO_SOLUTIONS, "--problems.settings.feedback", "hint", "--problems.test", "0"],
        "use feedback='oracle'",
    ),
    (problems(max_turns=3), "decided by turns and measure.turns"),
    (problems(stop_when_correct=False), "decided by improve.after_success"),
    (problems(split="train"), "decided by problems.train_split and problems.test_split"),
    (problems(rewards="gms8k"), "did you mean 'gsm8k'?"),
    (problems(few_shots=1), "few_shot"),
    # the loop
    (["--iterations", "0"], "iterations must be at least 1, got 0"),
    (["--seeds", "[1, 1]"], "seeds must be different"),
    (["--sampling.temperature", "-1"], "temperature must be finite and at least 0, got -1.0"),
    (["--sampling.temperature", "nan"], "temperature must be finite and at least 0, got nan"),
    (["--sampling.top_p", "nan"], "top_p must be in (0, 1], got nan"),
    (["--failures.warn_above", "nan"], "failures.warn_above must be a share from 0 to 1, got nan"),
    (fit(tau=float("nan")), "tau must be positive, got nan"),
    (fit(lora={"alpha": float("nan")}), "lora.alpha must be a positive number, got nan"),
    (
        ["--fit", "{template_options: {depth: .nan}}"],
        "template_options must be JSON values, got {'depth': nan}",
    ),
    (["--agent.settings", "{prefix_cache_mb: .nan}"], "agent.settings.prefix_cache_mb is nan"),
    (["--sampling.top_p", "0"], "top_p must be in (0, 1], got 0.0"),
    (["--measure.history_turns", "-1"], "measure.history_turns must be at least 0, got -1"),
    (["--boost.train", "0"], "boost.train must be at least 1, got 0"),
    (["--failures.max_failed", "2"], "failures.max_failed must be a share from 0 to 1, got 2.0"),
    (["--failures.max_cuts", "1"], "did you mean 'failures.max_cut'?"),
    (["--workers", "rya:2"], "'rya"),
    (["--track", "wnadb"], "did you mean 'wandb'?"),
    (["--colour", "red"], "colour"),
    (["--out", "{tmp}/no.jinja/run"], "is no folder: name another one"),
]
"""The case, with a text of its message."""


def make_files(folder: Path) -> None:
    """Write the files that the cases name. The weights of all models are damaged: they cannot be loaded."""
    (folder / "no.jinja").write_text("no JSON")
    (folder / "other.jinja").write_text("{% for m in messages %}{{ m.content }}<eos>{% endfor %}")
    (folder / "no_solutions.jsonl").write_text('{"question": "1+1?", "answer": "2"}\n')
    for arguments, _ in CASES:
        for word in arguments:
            if word.startswith("{") and "deepspeed" in word and "'" in word:
                name = json.loads(word).get("deepspeed", "").removeprefix("{tmp}/")
                (folder / name).write_text(
                    name.removesuffix(".json").replace("'", '"').replace("True", "true")
                )
    for name in ("model", "no_weights", "no_template", "many_tokens", "unsavable", "unknown_type", "mamba"):
        shutil.copytree(
            model_path("tiny"), folder / name, ignore=shutil.ignore_patterns("*.py", "__pycache__")
        )
        (folder / name / "model.safetensors").write_bytes(b"damaged")
    (folder / "no_weights" / "model.safetensors").unlink()
    (folder / "no_template" / "chat_template.jinja").unlink()
    change(folder / "many_tokens" / "config.json", vocab_size=10)
    change(folder / "unsavable" / "generation_config.json", early_stopping=True)
    change(folder / "mamba" / "config.json", model_type="mamba", architectures=["MambaForCausalLM"])
    change(folder / "unknown_type" / "config.json", model_type="no-such-type", architectures=["NoSuchModel"])


def change(path: Path, **values: Any) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))
