r"""The RISE environment: one math problem, several attempts, feedback in between."""

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import gymnasium

from rise_env.checkers.base import Checker
from rise_env.envs.episode import Episode, make_rules
from rise_env.envs.feedback import FeedbackFunction
from rise_env.envs.infos import reset_info, step_info
from rise_env.envs.problem_sampler import IndexPicker
from rise_env.envs.rendering import check_render_mode, print_messages, transcript
from rise_env.envs.rewards import Rewards
from rise_env.envs.spaces import ConversationSpace, UnicodeText
from rise_env.errors import ConfigError, EpisodeError
from rise_env.types import CheckResult, Conversation, Problem


@dataclass(frozen=True, slots=True)
class EnvState:
    """Where an environment stands: what `MathEnv.set_state` needs to go on from here."""

    episode: Episode | None
    next_index: int
    rng: Mapping[str, Any] | None
    """State of the random generator that draws problems; None where none was needed yet."""


class MathEnv(gymnasium.Env[Conversation, str]):
    r"""One math problem, several attempts, feedback in between.

    ## Description
    A problem is posed. The agent replies with its reasoning and a final answer, and the environment answers
    with feedback, until the problem is solved or the turns are used up. This is the multi-turn MDP of RISE
    (Qu et al. 2024, "Recursive Introspection", arXiv:2407.18219): the state is everything said so far.

    ## Action Space
    A reply, any Unicode string: `UnicodeText()`.

    ## Observation Space
    The whole conversation, a tuple of chat messages `{"role": ..., "content": ...}`: `ConversationSpace()`.
    It starts with the system prompt and the worked examples, if any, and the problem; each attempt adds the
    reply and the feedback. The observation that ends an episode ends with the reply: there is nothing left
    to say. Every call returns new message dicts; the texts in them are shared, never copied.

    ## Rewards
    Per attempt, by verdict: 1 correct, 0 wrong, -1 without a (readable) answer; see `Rewards`.

    ## Starting State
    `reset(seed=s)` draws a problem that depends on `s` only. `reset(options={"index": i})` poses problem
    `i`, `reset(options={"problem_id": id})` the one with that id. `reset()` draws the next one.

    ## Episode End
    `terminated`: solved, and `stop_when_correct` is set. `truncated`: `max_turns` attempts were made.
    Never both.

    ## Information
    `reset`: `problem_id`, `index`, `turn` (0), `source` (set, revision, hash), `split`. `step`: `problem_id`,
    `turn` (attempts so far), `check` (a `CheckResult`), `verdict` (its name), `correct` (a bool).

    ## Arguments
    Args:
        problems: What is posed. Shared, never copied: many environments may hold the same list.
        checker: Decides verdicts.
        feedback: "blind", "oracle", "self_check", "hint", "none" or a function of (problem, check, turn).
            Under blind, self_check and none no observation depends on the reference answer; set
            `stop_when_correct=False` so that the end of the episode does not either.
        rewards: "gsm8k" (1, 0, -1), "math" (1, 0, 0), "discounted", a `Rewards` or its three numbers.
        max_turns: Attempts per episode.
        stop_when_correct: Whether a correct reply ends the episode.
        system_prompt: The first message, with the role "system".
        few_shot: How many worked examples to show first, or (question, answer) pairs.
        shuffle: Draw problems at random; False poses them in order, from 0 after each seeded reset.
        released_rise: The layout of the released RISE code in our words: instruction and worked example
            first, and the same "incorrect, solve it once more" after every attempt.
        render_mode: None, "ansi" (`render` returns the conversation as text) or "human" (it is printed as
            it happens).

    ## Version History
    * v0: initial version.
    """

    metadata: dict[str, Any] = {"render_modes": ["ansi", "human"], "render_fps": 30}  # noqa: RUF012

    def __init__(
        self,
        problems: Sequence[Problem],
        checker: Checker,
        *,
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
        check_render_mode(render_mode, self.metadata["render_modes"])
        self.problems = problems
        self.checker = checker
        self.rules = make_rules(
            feedback=feedback,
            rewards=rewards,
            max_turns=max_turns,
            stop_when_correct=stop_when_correct,
            system_prompt=system_prompt,
            few_shot=few_shot,
            released_rise=released_rise,
        )
        self.render_mode = render_mode
        self.observation_space = ConversationSpace()
        self.action_space = UnicodeText()
        self._picker = IndexPicker(problems, shuffle=shuffle)
        self._episode: Episode | None = None

    @property
    def problem(self) -> Problem:
        """The current problem; still the last one when its episode is over."""
        return self._running().problem

    @property
    def turn(self) -> int:
        """How many attempts the current episode has seen."""
        return self._running().turn

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Conversation, dict[str, Any]]:
        """Pose a problem: `options={"index": i}` or `{"problem_id": id}`, or else the next one drawn."""
        if seed is not None:
            super().reset(seed=seed)
            self._picker.restart()
        index = self._picker.pick(options, self)
        problem = self.problems[index]
        self._episode = episode = Episode(self.rules, problem)
        if self.render_mode == "human":
            print_messages(episode.messages)
        return episode.observation(), reset_info(problem, index)

    def step(self, action: str) -> tuple[Conversation, float, bool, bool, dict[str, Any]]:
        """Check one reply and answer with feedback.

        Raises:
            EpisodeError: No episode is running.
            ConfigError: The action is not a string.
            ProblemError: Nobody can read the problem's reference answer.
        """
        episode = self._episode
        if episode is None:
            raise EpisodeError("no episode is running: call reset() first")
        check = self.check(action)
        reward, terminated, truncated = episode.advance(action, check)
        if self.render_mode == "human":
            print_messages(episode.messages[-1 if episode.over else -2 :])
        return episode.observation(), reward, terminated, truncated, step_info(episode, check)

    def check(self, reply: str) -> CheckResult:
        """Check a reply against the current problem. Changes nothing, so that many can be tried."""
        if not isinstance(reply, str):
            raise ConfigError(f"an action is the reply's text, got {type(reply).__name__}")
        problem = self._running().problem
        return self.checker.check(reply, problem.reference, question=problem.question)

    def reward(self, check: CheckResult) -> float:
        """Return what a reply with this check would earn at the current turn. Changes nothing."""
        return self.rules.rewards.of(check, self._running().turn)

    def render(self) -> str | None:
        """Return the conversation as text in mode "ansi"; None otherwise."""
        if self.render_mode != "ansi":
            return None
        return transcript(self._running().messages)

    def get_state(self) -> EnvState:
        """Return where this environment stands. Costs one list of references."""
        rng = None if self._np_random is None else self._np_random.bit_generator.state
        episode = None if self._episode is None else self._episode.copy()
        return EnvState(episode, self._picker.next_index, rng)

    def set_state(self, state: EnvState) -> None:
        """Go on from `state`, of this environment or of another one with the same rules."""
        self._episode = None if state.episode is None else state.episode.copy()
        self._picker.next_index = state.next_index
        if state.rng is not None:
            self.np_random.bit_generator.state = state.rng

    def fork(self) -> "MathEnv":
        """Return an independent environment at the same point; problems, checker and rules are shared."""
        twin = copy.copy(self)
        twin._np_random = copy.deepcopy(self._np_random)
        twin._picker = copy.copy(self._picker)
        twin._episode = None if self._episode is None else self._episode.copy()
        return twin

    def _running(self) -> Episode:
        if self._episode is None:
            raise EpisodeError("no episode is running: call reset() first")
        return self._episode
