"""`rise play ID`: lets a person play an episode in the terminal."""

import argparse
import json
from collections.abc import Callable, Sequence
from typing import Any

import gymnasium

from rise_env.envs.math_env import math_env_of
from rise_env.errors import ConfigError
from rise_env.utils.suggestions import did_you_mean


def main(argv: Sequence[str], ask: Callable[[str], str] = input) -> int:
    """Run `rise play`; return the exit code.

    Args:
        argv: The command's arguments.
        ask: Shows a prompt and returns the line that the person types; raises EOFError to stop.
    """
    arguments = _parser().parse_args(argv)
    env = _make(arguments)
    options = None if arguments.index is None else {"index": arguments.index}
    _, info = env.reset(seed=arguments.seed, options=options)
    print(f"[{info['problem_id']}] Answer in \\boxed{{}}, or with a single word or number. Ctrl-D ends.\n")
    rewards = []
    while True:
        try:
            reply = ask("you> ")
        except EOFError:
            print("\nstopped")
            break
        _, reward, terminated, truncated, info = env.step(_boxed(reply))
        rewards.append(float(reward))
        print(f"-> {info['verdict']}, reward {reward:g}\n")
        if terminated or truncated:
            reference = math_env_of(env).problem.reference
            print("solved" if info["correct"] else f"the answer was {reference}")
            break
    print(f"turns {len(rewards)}, return {sum(rewards):g}")
    env.close()
    return 0


def _boxed(reply: str) -> str:
    """Return a reply of a single word inside a box, because people type "18"; others as they are."""
    bare = "boxed" not in reply and "####" not in reply and len(reply.split()) == 1
    return rf"\boxed{{{reply.strip()}}}" if bare else reply


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("rise play", description="Play one episode in the terminal.")
    parser.add_argument("id", help="an environment id, for example RISE-Arithmetic-v0; `rise envs` lists all")
    parser.add_argument("--index", type=int, help="index of the problem to play; by default one at random")
    parser.add_argument("--seed", type=int, help="seed of the random choice of a problem")
    parser.add_argument("--split", help="the split to play, for example test; by default the set's first one")
    parser.add_argument(
        "--data_dir", "--data-dir", help="folder of the problem sets; by default $RISE_DATA_DIR"
    )
    parser.add_argument(
        "--feedback",
        default="oracle",
        help="what the environment says after a reply (default: %(default)s, which says right or wrong)",
    )
    parser.add_argument(
        "--max_turns", "--max-turns", type=int, help="replies per episode; by default 5, as in MathEnv"
    )
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="any other argument of the environment, VALUE as JSON or text, for example --set few_shot=1",
    )
    return parser


def _make(arguments: argparse.Namespace) -> gymnasium.Env[Any, str]:
    names = ("split", "data_dir", "feedback", "max_turns")
    settings = {name: getattr(arguments, name) for name in names if getattr(arguments, name) is not None}
    for pair in arguments.set:
        name, equals, text = pair.partition("=")
        if not equals:
            raise ConfigError(f"--set takes NAME=VALUE, got {pair!r}")
        try:
            settings[name] = json.loads(text)
        except json.JSONDecodeError:
            settings[name] = text
    ours = [known for known in gymnasium.registry if known.startswith("RISE-")]
    if arguments.id not in ours:
        raise ConfigError(f"no environment {arguments.id!r}; {did_you_mean(arguments.id, ours)}")
    return gymnasium.make(arguments.id, render_mode="human", **settings)
