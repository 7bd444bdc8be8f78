r"""The usual Gymnasium loop, on word problems.

Needs no model and no download:

    python examples/gym_loop.py
"""

import gymnasium as gym

env = gym.make("rise_env:RISE-Arithmetic-v0", split="test", feedback="oracle")
observation, info = env.reset(seed=42)
for _ in range(20):
    action = rf"I guess \boxed{{{env.np_random.integers(1, 50)}}}."  # here your model answers `observation`
    observation, reward, terminated, truncated, info = env.step(action)
    print(info["problem_id"], f"turn {info['turn']}:", info["verdict"], f"reward {reward:g}")
    if terminated or truncated:
        observation, info = env.reset()
env.close()
