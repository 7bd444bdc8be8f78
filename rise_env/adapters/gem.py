"""GEM: our environments as a `gem.core.Env`, and the problems of GEM's math environments for ours."""

from collections.abc import Sequence
from typing import Any

import gymnasium

from rise_env.adapters.text_episode import TextEpisode
from rise_env.envs.math_env import EnvState
from rise_env.types import Problem
from rise_env.utils.extras import missing_library

try:
    from gem import register
    from gem.core import Env
    from gem.utils.constants import TERMINAL_STATE
except ImportError:
    raise missing_library("gem_llm", "rise_env.adapters.gem") from None


class GemEnv(Env):  # type: ignore[misc]  # the library has no types
    """A RISE environment with GEM's interface: an observation is the newest user message.

    GEM's `ObservationWrapper` with "concat_chat_with_action" makes conversations of them. Unlike in
    GEM's own environments, `terminated` and `truncated` are never both true, and `reset(seed=)` does not
    touch the global random state.

    Args:
        env: An environment id, such as RISE-GSM8K-v0.
        seed: Seeds the order of the problems from the first reset; `gem.make_vec` gives each environment one.
        **settings: Arguments of the environment.
    """

    def __init__(self, env: str, *, seed: int | None = None, **settings: Any) -> None:
        super().__init__()
        self._id, self._settings = env, settings
        self._episode = TextEpisode(env, **settings)
        self._first_seed = seed

    def reset(self, seed: int | None = None) -> tuple[str, dict[str, Any]]:
        """Start an episode and return the problem."""
        seed, self._first_seed = self._first_seed if seed is None else seed, None
        conversation, info = self._episode.begin(seed=seed)
        return conversation[-1]["content"], info

    def step(self, action: str) -> tuple[str, float, bool, bool, dict[str, Any]]:
        """Check a reply and return the feedback; at the end, GEM's text of the terminal state."""
        outcome = self._episode.reply(action)
        text = TERMINAL_STATE if outcome.feedback is None else outcome.feedback
        return text, outcome.reward, outcome.terminated, outcome.truncated, outcome.info

    def sample_random_action(self) -> str:
        """Return a random text."""
        return self._episode.env.action_space.sample()

    def get_state(self) -> EnvState:
        """Return a snapshot of the episode."""
        return self._episode.math_env.get_state()

    def set_state(self, state: EnvState) -> None:
        """Continue from a snapshot."""
        self._episode.math_env.set_state(state)

    def spawn(self, same_state: bool = False, **kwargs: Any) -> "GemEnv":
        """Return another environment with these arguments and `kwargs`, on request in the same state."""
        child = GemEnv(self._id, **{**self._settings, **kwargs})
        if same_state:
            child.reset()
            child.set_state(self.get_state())
        return child


def register_ids() -> None:
    """Register every id with GEM: `gem.make("rise:RISE-GSM8K-v0", max_turns=3)`."""
    for name in gymnasium.registry:
        if name.startswith("RISE-"):
            register(f"rise:{name}", GemEnv, env=name)


def problems_of(env: Any) -> Sequence[Problem]:
    """Return the problems of a GEM environment over a data set, such as `math:GSM8K`, for `dataset=`.

    Args:
        env: A `gem.envs.math_env.MathEnv`, in wrappers or not.
    """
    inner = env.unwrapped
    rows = enumerate(zip(inner.dataset[inner.question_key], inner.dataset[inner.answer_key], strict=True))
    return [
        Problem(id=f"gem/{index}", question=question, reference=str(answer), source="gem")
        for index, (question, answer) in rows
    ]
