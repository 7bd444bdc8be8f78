"""Many episodes at once: one call checks all their replies together."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from gymnasium.utils import seeding
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space

from rise_env.checkers.base import Checker, CheckItem, check_many
from rise_env.envs.episode import Episode, make_rules
from rise_env.envs.feedback import FeedbackFunction
from rise_env.envs.infos import batch_infos, reset_info, step_info
from rise_env.envs.problem_sampler import IndexPicker
from rise_env.envs.rendering import check_render_mode, transcript
from rise_env.envs.rewards import Rewards
from rise_env.envs.spaces import ConversationSpace, UnicodeText
from rise_env.errors import ConfigError, EpisodeError
from rise_env.types import Conversation, Problem

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Step = tuple[tuple[Conversation, ...], Floats, Bools, Bools, dict[str, Any]]


class MathVectorEnv(VectorEnv[tuple[Conversation, ...], Sequence[str], npt.NDArray[Any]]):
    """A batch of `MathEnv` episodes over one list of problems, in one process.

    Episodes, observations, rewards and infos are those of `MathEnv` under `gymnasium.vector.SyncVectorEnv`;
    the difference is speed: all replies are checked in one call. Observations are a tuple of conversations,
    actions a sequence of strings. With `shuffle=False` the batch walks through the problems together, each
    posed once.

    Args:
        problems: What is posed; shared.
        checker: Decides verdicts, with its `check_many` where it has one.
        num_envs: How many episodes run at a time.
        autoreset_mode: "NextStep", "SameStep" or "Disabled", or the enum; see `AutoresetMode`.
        feedback: See `MathEnv`, as for all that follows.
        rewards: As there.
        max_turns: As there.
        stop_when_correct: As there.
        system_prompt: As there.
        few_shot: As there.
        shuffle: As there, over the whole batch.
        released_rise: As there.
        render_mode: None or "ansi".
    """

    def __init__(
        self,
        problems: Sequence[Problem],
        checker: Checker,
        num_envs: int = 1,
        *,
        autoreset_mode: str | AutoresetMode = AutoresetMode.NEXT_STEP,
        feedback: str | FeedbackFunction = "blind",
        rewards: str | Rewards | Mapping[str, float] | Sequence[float] = "gsm8k",
        max_turns: int = 5,
        stop_when_correct: bool = True,
        system_prompt: str | None = None,
        few_shot: int | Sequence[tuple[str, str]] = 0,
        shuffle: bool = True,
        released_rise: bool = False,
        render_mode: str | None = None,
    ) -> None:
        if num_envs < 1:
            raise ConfigError(f"num_envs must be at least 1, got {num_envs}")
        check_render_mode(render_mode, ["ansi"])
        self.problems = problems
        self.checker = checker
        self.num_envs = num_envs
        self.rules = make_rules(
            feedback=feedback,
            rewards=rewards,
            max_turns=max_turns,
            stop_when_correct=stop_when_correct,
            system_prompt=system_prompt,
            few_shot=few_shot,
            released_rise=released_rise,
        )
        self.autoreset_mode = _mode(autoreset_mode)
        self.metadata = {"render_modes": ["ansi"], "autoreset_mode": self.autoreset_mode}
        self.render_mode = render_mode
        self.single_observation_space = ConversationSpace()
        self.single_action_space = UnicodeText()
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self._picker = IndexPicker(problems, shuffle=shuffle)
        self._sources = [_Source() for _ in range(num_envs)]
        self._episodes: list[Episode] = []

    def reset(
        self,
        *,
        seed: int | Sequence[int | None] | None = None,
        options: dict[str, Any] | None = None,
    ) -> tuple[tuple[Conversation, ...], dict[str, Any]]:
        """Pose a problem to every episode.

        Args:
            seed: One per episode; an integer `s` stands for `s, s + 1, ...`, as in `SyncVectorEnv`.
            options: `index` or `problem_id`, one for all or one per episode; `reset_mask`, which episodes to
                reset (a boolean array), all others go on.
        """
        seeds = self._seeds(seed)
        options = dict(options or {})
        mask = self._mask(options.pop("reset_mask", None))
        if seed is not None:
            self._picker.restart()
        rows: list[dict[str, Any] | None] = [None] * self.num_envs
        if not self._episodes and not mask.all():
            raise EpisodeError("no episodes are running: call reset() without a reset_mask first")
        episodes: list[Episode | None] = [*self._episodes] if self._episodes else [None] * self.num_envs
        for i in np.flatnonzero(mask).tolist():
            if seeds[i] is not None:
                self._sources[i].seed(seeds[i])
            episodes[i], rows[i] = self._begin(i, {name: _pick(value, i) for name, value in options.items()})
        self._episodes = [episode for episode in episodes if episode is not None]
        return self._observations(), batch_infos(rows)

    def step(self, actions: Sequence[str]) -> Step:
        """Check one reply per episode, all together, and answer.

        Raises:
            EpisodeError: No episodes are running, or in mode "Disabled" one of them is over.
            ConfigError: There are not as many actions as episodes, or one is not a string.
        """
        episodes = self._episodes
        self._check_actions(actions)
        count = self.num_envs
        rewards, terminated, truncated = [0.0] * count, [False] * count, [False] * count
        rows: list[dict[str, Any] | None] = [None] * count
        finals: dict[int, tuple[Conversation, dict[str, Any]]] = {}
        active = [i for i in range(count) if not episodes[i].over]
        if len(active) < count and self.autoreset_mode is AutoresetMode.DISABLED:
            over = [i for i in range(count) if episodes[i].over]
            raise EpisodeError(f"episodes {over} are over: call reset(options={{'reset_mask': ...}})")
        checks = check_many(self.checker, [self._item(i, actions[i]) for i in active])
        if len(active) < count:  # mode "NextStep": those that ended with the last step begin anew
            for i in range(count):
                if episodes[i].over:
                    episodes[i], rows[i] = self._begin(i, {})
        for i, check in zip(active, checks, strict=True):
            episode = episodes[i]
            rewards[i], terminated[i], truncated[i] = episode.advance(actions[i], check)
            rows[i] = step_info(episode, check)
            if episode.over and self.autoreset_mode is AutoresetMode.SAME_STEP:
                finals[i] = (episode.observation(), rows[i] or {})
                episodes[i], rows[i] = self._begin(i, {})
        return (
            self._observations(),
            np.array(rewards, dtype=np.float64),
            np.array(terminated, dtype=np.bool_),
            np.array(truncated, dtype=np.bool_),
            batch_infos(rows, finals),
        )

    def render(self) -> tuple[str, ...] | None:
        """Return every conversation as text in mode "ansi"; None otherwise."""
        if self.render_mode != "ansi":
            return None
        return tuple(transcript(episode.messages) for episode in self._episodes)

    def _item(self, i: int, reply: str) -> CheckItem:
        problem = self._episodes[i].problem
        return CheckItem(reply, problem.reference, problem.question)

    def _begin(self, i: int, options: Mapping[str, Any]) -> tuple[Episode, dict[str, Any]]:
        index = self._picker.pick(options, self._sources[i])
        episode = Episode(self.rules, self.problems[index])
        return episode, reset_info(episode.problem, index)

    def _observations(self) -> tuple[Conversation, ...]:
        return tuple([episode.observation() for episode in self._episodes])

    def _check_actions(self, actions: Sequence[str]) -> None:
        if not self._episodes:
            raise EpisodeError("no episodes are running: call reset() first")
        if isinstance(actions, str) or len(actions) != self.num_envs:
            raise ConfigError(f"expected {self.num_envs} actions, got {len(actions)}")
        for action in actions:
            if not isinstance(action, str):
                raise ConfigError(f"an action is the reply's text, got {type(action).__name__}")

    def _seeds(self, seed: int | Sequence[int | None] | None) -> list[int | None]:
        if seed is None:
            return [None] * self.num_envs
        if isinstance(seed, int | np.integer):
            self._np_random, self._np_random_seed = seeding.np_random(int(seed))
            return [int(seed) + i for i in range(self.num_envs)]
        if len(seed) != self.num_envs:
            raise ConfigError(f"expected {self.num_envs} seeds, got {len(seed)}")
        return list(seed)

    def _mask(self, mask: Any) -> Bools:
        if mask is None:
            return np.ones(self.num_envs, dtype=np.bool_)
        chosen: Bools = np.asarray(mask)
        if chosen.shape != (self.num_envs,) or chosen.dtype != np.bool_ or not chosen.any():
            raise ConfigError(
                f"reset_mask must hold {self.num_envs} booleans, at least one true, got {mask!r}"
            )
        return chosen


class _Source:
    """The random generator of one episode slot, made when first needed."""

    def __init__(self) -> None:
        self._generator: np.random.Generator | None = None

    def seed(self, seed: int | None) -> None:
        self._generator, _ = seeding.np_random(seed)

    @property
    def np_random(self) -> np.random.Generator:
        if self._generator is None:
            self._generator, _ = seeding.np_random()
        return self._generator


def _mode(value: str | AutoresetMode) -> AutoresetMode:
    try:
        return AutoresetMode(value)
    except ValueError:
        known = [mode.value for mode in AutoresetMode]
        raise ConfigError(f"autoreset_mode must be one of {known}, got {value!r}") from None


def _pick(value: Any, i: int) -> Any:
    """Return entry `i` of a value per episode, or the value that is for all."""
    return value[i] if isinstance(value, list | tuple | np.ndarray) else value
