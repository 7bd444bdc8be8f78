"""Train a model to correct itself, and follow the run in Weights & Biases.

    pip install '.[all]'
    python examples/train_with_wandb.py
    python examples/train_with_wandb.py --env RISE-GSM8K-v0 --model Qwen/Qwen2.5-0.5B-Instruct --out runs/mine

Without a W&B login, everything is logged into the run folder, and `wandb sync` uploads it later. If the
script is stopped, the same command continues the same W&B runs. `rise run --track wandb` does the same.
docs/wandb.md lists the charts.
"""

import argparse
import os

import wandb

from rise_agents import SamplingConfig
from rise_trainers import RunConfig, run
from rise_trainers.loop.config import ImproveConfig, PolicyConfig, ProblemsConfig


def main() -> None:
    """Run the loop with the arguments of the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--env", default="RISE-Arithmetic-v0", help="environment id; see `rise envs`")
    parser.add_argument("--model", default="tiny", help="folder or hub id; tiny is embedded")
    parser.add_argument("--out", default="runs/train_with_wandb", help="folder of the run")
    parser.add_argument("--iterations", type=int, default=2)
    parser.add_argument("--train", type=int, default=1500, help="problems played in each iteration")
    parser.add_argument("--test", type=int, default=300, help="held-out problems")
    words = parser.parse_args()

    config = RunConfig(
        env=words.env,
        out=words.out,
        iterations=words.iterations,
        problems=ProblemsConfig(train=words.train, test=words.test),
        agent=PolicyConfig(model=words.model),
        improve=ImproveConfig(num_samples=8),  # the last turn is the best of 8 replies: self-distillation
        sampling=SamplingConfig(max_new_tokens=80 if words.model == "tiny" else 512),
        fit={
            "weights": "exp",  # exp(reward / tau), as in the paper
            "tau": 0.4,
            "epochs": 2,
            "learning_rate": 5e-4 if words.model == "tiny" else 1e-5,
            "batch_size": 32,
            "micro_batch_size": 32 if words.model == "tiny" else 1,
        },
        track="wandb",
    )

    if not wandb.login(prompt=False):
        os.environ.setdefault("WANDB_MODE", "offline")
        wandb.teardown()  # wandb reads its environment variables once; this makes it read them again
    run(config)


if __name__ == "__main__":
    main()
