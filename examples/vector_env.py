r"""Play 64 episodes at a time; all their replies are checked in one call.

Needs no model and no download:

    python examples/vector_env.py

Prints the share of episodes that a random guesser solves within five turns, and the speed.
"""

import time

import gymnasium as gym
import numpy as np

EPISODES = 64
STEPS = 200


def main() -> None:
    """Play with random guesses and count the solved episodes."""
    env = gym.make_vec(
        "rise_env:RISE-Arithmetic-v0",
        num_envs=EPISODES,
        difficulty={"max_steps": 2, "largest": 40},
        size=1_000,
        autoreset_mode="SameStep",
    )
    rng = np.random.default_rng(0)
    env.reset(seed=0)
    solved = ended = 0
    start = time.perf_counter()
    for _ in range(STEPS):
        actions = [rf"\boxed{{{guess}}}" for guess in rng.integers(1, 41, EPISODES)]
        _, _, terminated, truncated, infos = env.step(actions)
        # the step that ends an episode also resets it and puts its last info into final_info
        if "final_info" in infos:
            solved += int(infos["final_info"]["correct"].sum())
        ended += int((terminated | truncated).sum())
    seconds = time.perf_counter() - start
    print(f"{solved} of {ended} episodes solved by guessing")
    print(f"{STEPS * EPISODES / seconds:,.0f} steps per second, with generation of the problems")


if __name__ == "__main__":
    main()
