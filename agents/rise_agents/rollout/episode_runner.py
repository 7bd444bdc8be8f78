"""One episode while it is played: an environment, what was said, and whether it still goes."""

import math
from typing import Any

import gymnasium
import numpy as np

from rise_agents.types import Reply
from rise_env.envs.math_env import math_env_of
from rise_env.errors import ConfigError, RiseError
from rise_env.trajectories.serialization import episode_id
from rise_env.types import Attempt, CheckResult, Conversation, Problem, Trajectory, Turn, Verdict

_UNCHECKED = CheckResult(Verdict.NO_ANSWER)


class EpisodeRunner:
    """An episode being played. What its environment raises ends it, and nothing else.

    Args:
        env: Reset to the problem `index` here.
        index: Into the environment's problems.
        plan: The JSON value that names the plan in the episode's id.
        seed: Of the rollout.
    """

    def __init__(self, env: gymnasium.Env[Any, str], index: int, plan: Any, seed: int) -> None:
        self.index = index
        self.attempts: list[Attempt] = []
        """Of the current turn."""
        self.conversation: Conversation = ()
        self.live = True
        self.env_failed = False
        """Whether the environment raised: it may be broken."""
        self.env = env
        self._seed = seed
        self._turns: list[Turn] = []
        self._ended: tuple[bool, bool] | None = None
        self._error: str | None = None
        problems = math_env_of(env).problems
        if not 0 <= index < len(problems):
            raise ConfigError(f"there is no problem {index}: the set has {len(problems)}")
        self.problem: Problem = problems[index]
        self.id = episode_id(self.problem, plan, seed)
        try:
            start = int(np.random.SeedSequence((seed, index)).generate_state(1)[0])
            self.conversation, _ = env.reset(seed=start, options={"index": index})
        except Exception as error:
            self._fail_in_env(error)
        if self.live and not isinstance(self.conversation, tuple):
            raise ConfigError(
                f"agents read conversations, but {env} observes {type(self.conversation).__name__}: "
                "leave out the wrapper that turns observations into text"
            )

    @property
    def solved(self) -> bool:
        """Whether a reply of the current turn is correct."""
        return any(attempt.check.correct for attempt in self.attempts)

    def fail(self, reason: str) -> None:
        """End the episode as failed; its finished turns are kept."""
        self.live = False
        self._error = f"turn {len(self._turns) + 1}: {reason}"

    def _fail_in_env(self, error: Exception) -> None:
        self.env_failed = True
        self.fail(str(error) if isinstance(error, RiseError) else f"{type(error).__name__}: {error}")

    def add_reply(self, agent: str, reply: Reply, *, check: bool) -> None:
        """Take one reply to the current observation.

        Args:
            agent: Who replied.
            reply: What they said.
            check: Whether to check it now; without, `step` does.
        """
        try:
            result = math_env_of(self.env).check(reply.text) if check else _UNCHECKED
            reward = math_env_of(self.env).reward(result) if check else 0.0
        except Exception as error:
            self._fail_in_env(error)
            return
        self.attempts.append(
            Attempt(
                agent=agent,
                reply=reply.text,
                check=result,
                reward=float(reward),
                finish=reply.finish,
                usage=reply.usage,
            )
        )

    def step(self) -> None:
        """Go on with the first best reply of this turn."""
        attempts, self.attempts = self.attempts, []
        if not self.live:
            return
        chosen = max(range(len(attempts)), key=lambda i: attempts[i].reward)  # max: the first of equals
        best = attempts[chosen]
        try:
            conversation, reward, terminated, truncated, info = self.env.step(best.reply)
            if not math.isfinite(reward):
                raise ValueError(f"the reward is {reward}")
            check = info.get("check")
            if not isinstance(check, CheckResult) or not isinstance(conversation, tuple):
                raise TypeError("a step's observation is a conversation and info['check'] a CheckResult")
        except Exception as error:
            self._fail_in_env(error)
            return
        attempts[chosen] = Attempt(
            agent=best.agent,
            reply=best.reply,
            check=check,
            reward=float(reward),
            finish=best.finish,
            usage=best.usage,
        )
        self._turns.append(Turn(observation=self.conversation, attempts=tuple(attempts), chosen=chosen))
        self.conversation = conversation
        if terminated or truncated:
            self.live = False
            self._ended = (terminated, truncated)

    def to_trajectory(self) -> Trajectory:
        """Return what happened. An episode that the plan's end cut short counts as truncated."""
        terminated, truncated = self._ended or (False, self._error is None)
        return Trajectory(
            id=self.id,
            problem=self.problem,
            turns=tuple(self._turns),
            seed=self._seed,
            terminated=terminated,
            truncated=truncated,
            error=self._error,
        )
