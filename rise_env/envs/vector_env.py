"""Many episodes at once: one call checks the replies of all of them together."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from gymnasium.envs.registration import EnvSpec
from gymnasium.utils import seeding
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space

from rise_env.checkers.base import Checker, CheckItem, check_many, prepare, require_checker
from rise_env.envs.episode import Episode
from rise_env.envs.feedback import FeedbackLike, require_solutions
from rise_env.envs.infos import batch_reset_infos, batch_step_infos, reset_info, scatter
from rise_env.envs.initial_prompt import FewShotLike
from rise_env.envs.problem_sampler import OrderLike, ProblemSampler, check_seed, find_order
from rise_env.envs.rendering import check_render_mode, transcript
from rise_env.envs.rewards import RewardsLike
from rise_env.envs.rules import Rules
from rise_env.envs.spaces import ConversationSpace, UnicodeText
from rise_env.errors import ConfigError, EpisodeError
from rise_env.types import Conversation, Problem
from rise_env.utils.signatures import convert_value
from rise_env.utils.specs import with_turn_limit

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Step = tuple[tuple[Conversation, ...], Floats, Bools, Bools, dict[str, Any]]


class MathVectorEnv(VectorEnv[tuple[Conversation, ...], Sequence[str], npt.NDArray[Any]]):
    """A batch of `MathEnv` episodes over one list of problems, in one process.

    Episodes, observations, rewards and infos are those of `MathEnv` under `gymnasium.vector.SyncVectorEnv`;
    this class is faster, since one call checks all replies. Observations are a tuple of conversations,
    actions a sequence of strings, both with one entry per episode.

    In the orders "permutation" and "sequential", all episodes draw from one common order, so that the batch
    poses each problem once before it poses any again. In the order "replacement", or with a sampler of your
    own, each episode draws independently.

    The arguments that are not listed here are those of `MathEnv`.

    Args:
        problems: The problems to pose. Shared, not copied.
        checker: Checks the replies, with its method `check_many` if it has one.
        num_envs: Number of episodes that run at a time, at least 1.
        autoreset_mode: "NextStep", "SameStep" or "Disabled", or the enum; see
            `gymnasium.vector.AutoresetMode`.
        render_mode: None or "ansi".

    Raises:
        ConfigError: There are no problems, or an argument is unknown, out of range, or contradicts another.
    """

    def __init__(
        self,
        problems: Sequence[Problem],
        checker: Checker,
        num_envs: int = 1,
        *,
        autoreset_mode: str | AutoresetMode = AutoresetMode.NEXT_STEP,
        feedback: FeedbackLike = Rules.feedback,
        rewards: RewardsLike = Rules.rewards,
        max_turns: int = Rules.max_turns,
        stop_when_correct: bool = Rules.stop_when_correct,
        prompt: str | None = Rules.prompt,
        system_prompt: str | None = Rules.system_prompt,
        few_shot: FewShotLike = Rules.few_shot,
        shuffle: bool = True,
        order: OrderLike | None = None,
        released_rise: bool = Rules.released_rise,
        render_mode: str | None = None,
    ) -> None:
        num_envs = convert_value(num_envs, int, what="num_envs")
        if num_envs < 1:
            raise ConfigError(f"num_envs must be at least 1, got {num_envs}")
        check_render_mode(render_mode, ["ansi"])
        self.problems = problems
        self.checker = require_checker(checker)
        self.num_envs = num_envs
        self.rules = Rules(
            feedback=feedback,
            rewards=rewards,
            max_turns=max_turns,
            stop_when_correct=stop_when_correct,
            prompt=prompt,
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
        self._sampler = ProblemSampler(problems, find_order(order, shuffle=shuffle))
        require_solutions(self.rules.feedback_function, problems)
        if self.rules.feedback_is_written:
            raise ConfigError(
                'feedback="agent" needs single environments, which rise_agents.rollout plays in batches'
            )
        shared = _SlotRandom()
        self._sources = [shared if self._sampler.shared else _SlotRandom() for _ in range(num_envs)]
        self._episodes: list[Episode] = []
        self._spec: EnvSpec | None = None

    @property
    def spec(self) -> EnvSpec | None:
        """What Gymnasium made the batch from; `spec.kwargs["max_turns"]` is the limit on turns."""
        return self._spec

    @spec.setter
    def spec(self, spec: EnvSpec | None) -> None:
        self._spec = with_turn_limit(spec, self.rules.max_turns)

    def reset(
        self,
        *,
        seed: int | Sequence[int | None] | None = None,
        options: dict[str, Any] | None = None,
    ) -> tuple[tuple[Conversation, ...], dict[str, Any]]:
        """Start every episode, or those of a mask. If this raises, it changes nothing.

        Args:
            seed: One per episode; an integer `s` stands for `s, s + 1, ...`, as in `SyncVectorEnv`. The
                common order of the episodes depends on the first seed only.
            options: `index` or `problem_id`, one for all episodes or one per episode; `reset_mask`, a
                boolean array that is true for the episodes to reset. The others continue.

        Returns:
            Observations and infos.

        Raises:
            EpisodeError: No episodes are running, and the mask leaves some out.
            ConfigError: A seed, an option or the mask does not fit.
        """
        seeds = self._seeds(seed)
        if options is not None and not isinstance(options, Mapping):
            raise ConfigError(f"the options of reset are a mapping, got {options!r}")
        options = dict(options or {})
        mask = self._mask(options.pop("reset_mask", None))
        if not self._episodes and not mask.all():
            raise EpisodeError("no episodes are running: call reset() without a reset_mask first")
        prepare(self.checker)
        chosen = {name: self._per_episode(name, value) for name, value in options.items()}
        begun = self._begin(np.flatnonzero(mask).tolist(), chosen, seeds)
        if isinstance(seed, int | np.integer):
            self._np_random, self._np_random_seed = seeding.np_random(int(seed))
        episodes = self._episodes or [episode for episode, _ in begun.values()]
        for i, (episode, _) in begun.items():
            episodes[i] = episode
        self._episodes = episodes
        infos = batch_reset_infos(self.num_envs, {i: info for i, (_, info) in begun.items()})
        return self._observations(), infos

    def step(self, actions: Sequence[str]) -> Step:
        """Check one reply per episode, and add it and the feedback to its conversation.

        If this raises, for example because the checker or a feedback function does, no episode has changed,
        and the same step can be taken again.

        Args:
            actions: One reply per episode. The reply of an episode that is reset in this step (mode
                "NextStep") is ignored.

        Returns:
            Observations, rewards, terminated, truncated (arrays with one entry per episode) and infos.

        Raises:
            EpisodeError: No episodes are running, or in mode "Disabled" one of them is over.
            ConfigError: There are not as many actions as episodes, or one is not a string.
            ProblemError: The checker cannot read a problem's reference answer.
        """
        episodes, count = self._episodes, self.num_envs
        self._check_actions(actions)
        over = [i for i, episode in enumerate(episodes) if episode.over]
        if over and self.autoreset_mode is AutoresetMode.DISABLED:
            raise EpisodeError(f"episodes {over} are over: call reset(options={{'reset_mask': ...}})")
        active = [i for i in range(count) if not episodes[i].over] if over else list(range(count))
        going = [episodes[i] for i in active]
        replies = [actions[i] for i in active]
        # do everything that may raise before anything is changed
        items = [
            CheckItem(reply, episode.problem.reference, episode.problem.question)
            for reply, episode in zip(replies, going, strict=True)
        ]
        checks = check_many(self.checker, items)
        transitions = [
            episode.transition(reply, check)
            for episode, reply, check in zip(going, replies, checks, strict=True)
        ]
        anew = over  # mode "NextStep": episodes that ended with the last step are reset
        ended: list[int] = []
        if self.autoreset_mode is AutoresetMode.SAME_STEP:
            anew = ended = [i for i, made in zip(active, transitions, strict=True) if made[1] or made[2]]
        begun = self._begin(anew, {}) if anew else {}
        for episode, transition in zip(going, transitions, strict=True):
            episode.apply(transition)
        # without copies of the messages, because nothing else holds them after this step
        finals = {i: tuple(episodes[i].messages) for i in ended}
        for i, (episode, _) in begun.items():
            episodes[i] = episode
        rewards, terminated, truncated, _, _ = zip(*transitions, strict=True) if transitions else [()] * 5
        infos = batch_step_infos(
            count, active, going, checks, {i: info for i, (_, info) in begun.items()}, finals
        )
        return (
            self._observations(),
            scatter(rewards, active, count, np.float64),
            scatter(terminated, active, count, np.bool_),
            scatter(truncated, active, count, np.bool_),
            infos,
        )

    def render(self) -> tuple[str, ...] | None:
        """Return every conversation as text in mode "ansi", None in all others."""
        if self.render_mode != "ansi":
            return None
        return tuple(transcript(episode.messages) for episode in self._episodes)

    def _begin(
        self,
        places: Sequence[int],
        options: Mapping[str, Sequence[Any]],
        seeds: Sequence[int | None] | None = None,
    ) -> dict[int, tuple[Episode, dict[str, Any]]]:
        """Return place -> (new episode, its info). If this raises, the state of the draws is restored."""
        place = self._sampler.place
        seeded = [] if seeds is None else [i for i in places if seeds[i] is not None]
        draws = bool(seeded) or self._sampler.draws(options, len(places))
        sources = {id(self._sources[i]): self._sources[i] for i in places}.values()
        saved = [(source, source.state(draws=draws)) for source in sources]
        begun = {}
        prompt = self.rules.initial_prompt.label
        try:
            if seeded:
                self._sampler.restart()
            for i in seeded[:1] if self._sampler.shared else seeded:
                self._sources[i].seed(seeds[i] if seeds is not None else None)
            for i, index in zip(places, self._draw(places, options), strict=True):
                problem = self.problems[index]
                begun[i] = Episode(self.rules, problem), reset_info(problem, index, prompt)
        except BaseException:
            self._sampler.place = place
            for source, state in saved:
                source.restore(state)
            raise
        return begun

    def _draw(self, places: Sequence[int], options: Mapping[str, Sequence[Any]]) -> list[int]:
        """Return the index of the next problem of each place."""
        if places and self._sampler.shared and not options:
            return self._sampler.sample_many(len(places), self._sources[places[0]])
        return [
            self._sampler.sample({name: values[i] for name, values in options.items()}, self._sources[i])
            for i in places
        ]

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
        if not isinstance(seed, list | tuple | np.ndarray):
            first = check_seed(seed)
            return [first + i for i in range(self.num_envs)]
        if len(seed) != self.num_envs:
            raise ConfigError(f"expected {self.num_envs} seeds, got {len(seed)}")
        return [None if one is None else check_seed(one) for one in seed]

    def _per_episode(self, name: str, value: Any) -> Sequence[Any]:
        """Return an option as one value per episode."""
        if isinstance(value, np.ndarray):
            value = value.tolist()
        if not isinstance(value, list | tuple):
            return [value] * self.num_envs
        if len(value) != self.num_envs:
            raise ConfigError(f"{name} must be one value or {self.num_envs}, got {len(value)}: {value!r}")
        return value

    def _mask(self, mask: Any) -> Bools:
        if mask is None:
            return np.ones(self.num_envs, dtype=np.bool_)
        chosen: Bools = np.asarray(mask)
        if chosen.shape != (self.num_envs,) or chosen.dtype != np.bool_ or not chosen.any():
            raise ConfigError(
                f"reset_mask must hold {self.num_envs} booleans, at least one true, got {mask!r}"
            )
        return chosen


class _SlotRandom:
    """The random generator of one place in the batch, made when first needed."""

    def __init__(self) -> None:
        self._generator: np.random.Generator | None = None

    def seed(self, seed: int | None) -> None:
        self._generator, _ = seeding.np_random(seed)

    @property
    def np_random(self) -> np.random.Generator:
        if self._generator is None:
            self._generator, _ = seeding.np_random()
        return self._generator

    def state(self, *, draws: bool) -> tuple[np.random.Generator | None, Mapping[str, Any] | None]:
        """Return what `restore` needs. With `draws=False`, nothing may be drawn before `restore`."""
        generator = self._generator
        return generator, generator.bit_generator.state if draws and generator is not None else None

    def restore(self, saved: tuple[np.random.Generator | None, Mapping[str, Any] | None]) -> None:
        self._generator, state = saved
        if self._generator is not None and state is not None:
            self._generator.bit_generator.state = state


def _mode(value: str | AutoresetMode) -> AutoresetMode:
    try:
        return AutoresetMode(value)
    except ValueError:
        known = [mode.value for mode in AutoresetMode]
        raise ConfigError(f"autoreset_mode must be one of {known}, got {value!r}") from None
