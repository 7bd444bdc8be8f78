r"""The RISE environment: one math problem, several attempts, feedback in between."""

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import gymnasium
from gymnasium.envs.registration import EnvSpec

from rise_env.checkers.base import Checker, prepare, require_checker
from rise_env.envs.episode import Episode
from rise_env.envs.feedback import FeedbackLike, require_solutions
from rise_env.envs.infos import reset_info, step_info
from rise_env.envs.initial_prompt import FewShotLike
from rise_env.envs.problem_sampler import OrderLike, Place, ProblemSampler, check_seed, find_order
from rise_env.envs.rendering import check_render_mode, print_messages, transcript
from rise_env.envs.rewards import RewardsLike
from rise_env.envs.rules import Rules
from rise_env.envs.spaces import ConversationSpace, UnicodeText
from rise_env.errors import ConfigError, EpisodeError
from rise_env.types import CheckResult, Conversation, Problem
from rise_env.utils.specs import with_turn_limit


@dataclass(frozen=True, slots=True)
class EnvState:
    """A snapshot of an environment, from which `MathEnv.set_state` continues."""

    episode: Episode | None
    """None before the first reset."""
    place: Place
    """Position in the order of the problems."""
    rng: Mapping[str, Any] | None
    """State of the random generator that draws problems; None if none was needed yet."""


class MathEnv(gymnasium.Env[Conversation, str]):
    r"""One math problem, several attempts, feedback in between.

    ## Description
    The environment poses a problem. The agent replies with its reasoning and a final answer, and the
    environment replies with feedback, until the problem is solved or no turn is left. This is the multi-turn
    Markov decision process of RISE (Qu et al. 2024, "Recursive Introspection: Teaching Language Model Agents
    How to Self-Improve", arXiv:2407.18219). The state is the conversation so far.

    ## Action Space
    The action is a reply, any string of Unicode characters: `UnicodeText()`. The checker looks for the final
    answer in it, best written as `\boxed{...}`. No reply raises an error: one without an answer gets the
    verdict `NO_ANSWER`.

    ## Observation Space
    The observation is the conversation so far, a tuple of chat messages `{"role": ..., "content": ...}`:
    `ConversationSpace()`.

    | part | role | messages | when |
    | --- | --- | --- | --- |
    | system prompt | system | 1 | with `system_prompt`, or where `prompt` has one |
    | worked examples | user, assistant | 2 per example | with `few_shot`, or where `prompt` has some |
    | problem | user | 1 | always |
    | earlier replies and the feedback to each | assistant, user | 2 per attempt | after the first step |

    The observation that ends an episode ends with the reply, without feedback. Every call returns new message
    dicts; the texts in them are shared, not copied.

    ## Rewards
    Every attempt earns a reward. The named schemes depend on its verdict and its turn `t`, counted from 0:

    | verdict | `"gsm8k"` | `"paper"`, `"math"` | `"discounted"` |
    | --- | --- | --- | --- |
    | correct | 1 | 1 | 0.9 ** t |
    | wrong, or the check ran out of time | 0 | 0 | 0 |
    | no answer, or one that the checker cannot read | -1 | 0 | 0 |

    `"paper"` is the reward of the RISE paper (arXiv:2407.18219, section 4.1) on every data set. `"gsm8k"` and
    `"math"` are those of its released code on the two data sets.

    ## Starting State
    `reset(seed=s)` poses a problem drawn at random, which depends on `s` only (the first problem with
    `order="sequential"`). `reset()` poses the next one: every problem once before any comes again, in an
    order that depends on `s` only. `reset(options={"index": i})` poses problem `i`, and
    `reset(options={"problem_id": id})` the problem with that id. The observation holds no reply.

    ## Episode End
    * Termination: the reply is correct and `stop_when_correct` is true.
    * Truncation: `max_turns` attempts were made, and the episode did not terminate. Both are never true.

    ## Information
    | key | value | in |
    | --- | --- | --- |
    | `problem_id` | id of the problem | `reset`, `step` |
    | `turn` | attempts made so far; 0 after a reset | `reset`, `step` |
    | `index` | position of the problem in `problems` | `reset` |
    | `source` | the problem's data set, with revision and hash | `reset` |
    | `split` | the problem's split | `reset` |
    | `prompt` | name of the prompt, with the hash of its texts | `reset` |
    | `verdict` | "correct", "wrong", "no_answer", "unreadable" or "timeout" | `step` |
    | `correct` | whether the verdict is "correct" | `step` |
    | `answer` | the extracted answer, as written in the reply; None if there is none | `step` |
    | `method` | the stage of the checker that decided, for example "fraction" | `step` |

    An info is a plain dict of JSON values, so that it survives copies, wrappers and Gymnasium's vector
    environments. `env.unwrapped.last_check` is the whole `CheckResult` of the latest reply, with the seconds
    of the check. The infos never contain the reference answer.

    ## Arguments
    `gymnasium.make` finds problems and checker by the id, and takes all other arguments by keyword, besides
    those of the problem set (`split`, `data_dir`, ...), `checker` and `history_turns` (see `make_env`):

    >>> import gymnasium
    >>> env = gymnasium.make("rise_env:RISE-Arithmetic-v0", split="test", feedback="oracle", max_turns=3)

    Args:
        problems: The problems to pose. Shared, not copied: many environments may hold the same list.
        checker: Decides the verdict of a reply.
        feedback: The message after an attempt: "blind" (asks to try again, right or wrong), "oracle" (says
            what the check found), "self_check" (asks to look for mistakes), "hint" (shows the beginning of
            the worked solution, never the answer's number), "none" (an empty message), "released_rise" (see
            below), "agent" (the caller of `step` gives each message, see `write_feedback`; rollouts ask an
            agent for it). Or a template with the fields {question}, {answer} (what was found in the attempt)
            and {turn} (attempts made so far); a mapping of verdicts ("correct", "wrong", "no_answer",
            "unreadable", "timeout", or "default") to templates; a function of (problem, check, turn), or of
            (conversation, check, turn) where its first parameter is named `conversation` or `messages`. With
            "blind", "self_check", "none" or one template no observation depends on the reference answer; set
            `stop_when_correct=False` so that the end of the episode does not either.
        rewards: "gsm8k", "paper", "math" or "discounted" (see Rewards), a `Rewards`, its fields as a mapping,
            the three numbers (correct, wrong, no answer), or a function of (check, turn) that returns the
            reward.
        max_turns: Attempts per episode, at least 1.
        stop_when_correct: Whether a correct reply ends the episode.
        prompt: How the problem is posed: "rise", "plain" (the question alone; None is the same),
            "released_rise", "qwen2.5_math", "deepseek_r1", "gsm8k_8shot", "minerva_4shot" (see `PRESETS`), or
            a template with the field {question}.
        system_prompt: Text of a first message with the role "system"; None is that of the prompt, if it has
            one.
        few_shot: How many worked examples precede the problem, or (question, answer) pairs to show; 0 shows
            as many as the prompt has by itself. The examples are those of the prompt, or 4 of ours.
        shuffle: Whether problems come in a random order; False is `order="sequential"`.
        order: "permutation" (every problem once, then once again in another random order), "sequential" (in
            order, from the first one after every reset with a seed), "replacement" (independent draws), or an
            object with a method `sample(generator, count)` that returns an index, such as a
            `WeightedSampler`. None is "permutation".
        released_rise: Whether to use the message layout of the released RISE code, in words of our own: the
            instruction and a worked example come first, and the feedback is "released_rise", which calls
            every attempt incorrect. Excludes other feedback.
        render_mode: None, "ansi" (`render` returns the conversation as text) or "human" (messages are printed
            when they are made).

    Raises:
        ConfigError: There are no problems, or an argument is unknown, out of range, or contradicts another.

    ## Version History
    * v0: Initial version.
    """

    metadata: dict[str, Any] = {"render_modes": ["ansi", "human"], "render_fps": 30}  # noqa: RUF012

    def __init__(
        self,
        problems: Sequence[Problem],
        checker: Checker,
        *,
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
        check_render_mode(render_mode, self.metadata["render_modes"])
        self.problems = problems
        self.checker = require_checker(checker)
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
        self.render_mode = render_mode
        self.observation_space = ConversationSpace()
        self.action_space = UnicodeText()
        self._sampler = ProblemSampler(problems, find_order(order, shuffle=shuffle))
        require_solutions(self.rules.feedback_function, problems)
        self._episode: Episode | None = None
        self._spec: EnvSpec | None = None

    @property
    def spec(self) -> EnvSpec | None:
        """What Gymnasium made the environment from; `spec.kwargs["max_turns"]` is the limit on turns."""
        return self._spec

    @spec.setter
    def spec(self, spec: EnvSpec | None) -> None:
        self._spec = with_turn_limit(spec, self.rules.max_turns)

    @property
    def problem(self) -> Problem:
        """The problem of the current episode, also after the end of the episode."""
        return self._running().problem

    @property
    def turn(self) -> int:
        """Number of attempts made in the current episode."""
        return self._running().turn

    @property
    def last_check(self) -> CheckResult | None:
        """What the checker found in the latest reply of the current episode; None before the first reply."""
        return self._running().last_check

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Conversation, dict[str, Any]]:
        """Start an episode. If this raises, the environment has not changed.

        Args:
            seed: Seed of the generator that draws problems; None continues with the present generator.
            options: `{"index": i}` or `{"problem_id": id}` chooses the problem.

        Returns:
            Observation and info, see the class.

        Raises:
            ConfigError: The seed or an option does not fit, or there is no such problem.
        """
        undo = None
        if seed is not None or not options:  # otherwise nothing is drawn
            undo = self._undo_draw(draws=seed is None and self._sampler.draws(options))
        try:
            if seed is not None:
                super().reset(seed=check_seed(seed))
                self._sampler.restart()
            prepare(self.checker)
            index = self._sampler.sample(options, self)
            problem = self.problems[index]
            episode = Episode(self.rules, problem)
            if self.render_mode == "human":
                print_messages(episode.messages)
        except BaseException:
            if undo is not None:
                undo()
            raise
        self._episode = episode
        return episode.observation(), reset_info(problem, index, self.rules.initial_prompt.label)

    def step(self, action: str) -> tuple[Conversation, float, bool, bool, dict[str, Any]]:
        """Check one reply, and add it and the feedback to the conversation.

        If this raises, for example because the checker or a feedback function does, the environment has not
        changed, and the same step can be taken again.

        Args:
            action: The agent's reply.

        Returns:
            Observation, reward, terminated, truncated and info, see the class.

        Raises:
            EpisodeError: No episode is running.
            ConfigError: The action is not a string.
            ProblemError: The checker cannot read the problem's reference answer.
        """
        episode = self._episode
        if episode is None:
            raise EpisodeError("no episode is running: call reset() first")
        check = self.check(action)
        transition = episode.transition(action, check)
        reward, terminated, truncated, messages, _ = transition
        if self.render_mode == "human":
            print_messages(messages)
        episode.apply(transition)
        return episode.observation(), reward, terminated, truncated, step_info(episode, check)

    def check(self, reply: str) -> CheckResult:
        """Check a reply to the current problem, without taking a step.

        Raises:
            EpisodeError: There was no reset yet.
            ConfigError: The reply is not a string.
            ProblemError: The checker cannot read the problem's reference answer.
        """
        if not isinstance(reply, str):
            raise ConfigError(f"an action is the reply's text, got {type(reply).__name__}")
        problem = (self._episode or self._running()).problem
        return self.checker.check(reply, problem.reference, question=problem.question)

    def reward(self, check: CheckResult) -> float:
        """Return what a reply with this check would earn at the current turn, without taking a step."""
        return self.rules.reward_function(check, self._running().turn)

    def ends_after(self, check: CheckResult) -> bool:
        """Return whether a step with a reply with this check would end the episode."""
        return self._running().ends_after(check)

    def write_feedback(self, text: str) -> None:
        """Give the message after the next attempt, where `feedback` is "agent". A reset discards it.

        Raises:
            EpisodeError: There was no reset yet.
            ConfigError: The text is not a string, or `feedback` is not "agent".
        """
        if not self.rules.feedback_is_written:
            raise ConfigError(
                f'feedback is {self.rules.feedback!r}, which writes the messages itself: use feedback="agent"'
            )
        if not isinstance(text, str):
            raise ConfigError(f"feedback is a text, got {text!r}")
        self._running().written = text

    def render(self) -> str | None:
        """Return the conversation as text in mode "ansi", None in all others."""
        if self.render_mode != "ansi":
            return None
        return transcript(self._running().messages)

    def get_state(self) -> EnvState:
        """Return a snapshot for `set_state`. The list of messages is copied, the messages are not."""
        rng = None if self._np_random is None else self._np_random.bit_generator.state
        episode = None if self._episode is None else self._episode.copy()
        return EnvState(episode, self._sampler.place, rng)

    def set_state(self, state: EnvState) -> None:
        """Continue from a snapshot of this environment, or of another one with the same rules."""
        self._episode = None if state.episode is None else state.episode.copy()
        self._sampler.place = state.place
        if state.rng is not None:
            self.np_random.bit_generator.state = state.rng

    def fork(self) -> "MathEnv":
        """Return an independent environment in the same state; problems, checker and rules are shared."""
        twin = copy.copy(self)
        twin._np_random = copy.deepcopy(self._np_random)
        twin._sampler = copy.copy(self._sampler)
        twin._episode = None if self._episode is None else self._episode.copy()
        return twin

    def _undo_draw(self, *, draws: bool) -> Callable[[], None]:
        """Return a function that undoes the seeding and the draw of a problem.

        Args:
            draws: Whether the present generator may be used for the draw.
        """
        generator, seed, place = self._np_random, self._np_random_seed, self._sampler.place
        state = generator.bit_generator.state if draws and generator is not None else None

        def undo() -> None:
            self._np_random, self._np_random_seed, self._sampler.place = generator, seed, place
            if generator is not None and state is not None:
                generator.bit_generator.state = state

        return undo

    def _running(self) -> Episode:
        if self._episode is None:
            raise EpisodeError("no episode is running: call reset() first")
        return self._episode


def math_env_of(env: gymnasium.Env[Any, Any]) -> MathEnv:
    """Return the `MathEnv` inside the wrappers of `env`.

    Raises:
        ConfigError: The innermost environment is not a `MathEnv`.
    """
    inner = env.unwrapped
    if not isinstance(inner, MathEnv):
        raise ConfigError(
            f"expected a MathEnv, in wrappers or not, got {type(inner).__name__}: make one with rise_env.make"
        )
    return inner
