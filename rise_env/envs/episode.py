"""One episode, without Gymnasium: `MathEnv` runs one of them, `MathVectorEnv` many at a time."""

from typing import Any

from rise_env.envs.rules import Rules
from rise_env.errors import ConfigError, EpisodeError
from rise_env.types import CheckResult, Conversation, Message, Problem, Verdict

Transition = tuple[float, bool, bool, tuple[Message, ...], CheckResult]
"""The effect of a reply on an episode, which `Episode.apply` carries out: the reward, whether the episode
terminates, whether it is truncated, the new messages (the reply, and the feedback if the episode continues),
and the check of the reply. A plain tuple, because making a named one takes a tenth of a step."""

# constants, because Python 3.11 reads an attribute of an enum class slowly
_CORRECT = Verdict.CORRECT


class Episode:
    """The state of one episode: its problem and all messages so far.

    Args:
        rules: The rules of the environment.
        problem: The problem that the episode poses.
    """

    __slots__ = ("last_check", "messages", "over", "problem", "rules", "turn", "written")

    def __init__(self, rules: Rules, problem: Problem) -> None:
        self.rules = rules
        self.problem = problem
        self.messages: list[Message] = rules.initial_prompt.messages(problem)
        self.turn = 0
        self.over = False
        self.last_check: CheckResult | None = None
        self.written: str | None = None
        """The feedback to the next reply, if the caller wrote it."""

    def observation(self) -> Conversation:
        """Return copies of the messages so far."""
        return tuple(map(dict.copy, self.messages))  # type: ignore[arg-type]

    def transition(self, reply: str, check: CheckResult) -> Transition:
        """Return the effect of a reply, without changing the episode.

        Everything that may raise happens here, so that a step can be computed before anything is changed.

        Args:
            reply: The agent's reply.
            check: What the checker found in it.

        Raises:
            EpisodeError: The episode is over.
            ConfigError: The feedback function did not return a string.
            Exception: Whatever the feedback function raises.
        """
        if self.over:
            raise EpisodeError("the episode is over: call reset()")
        rules = self.rules
        reward = rules.reward_function(check, self.turn)
        terminated = rules.stop_when_correct and check.verdict is _CORRECT
        truncated = not terminated and self.turn + 1 >= rules.max_turns
        said: Message = {"role": "assistant", "content": reply}
        if terminated or truncated:
            return reward, terminated, truncated, (said,), check
        text: Any = self.written
        if text is None:
            first: Any = self.problem
            if rules.feedback_reads_conversation:
                first = (*self.observation(), {**said})
            text = rules.feedback_function(first, check, self.turn)
        if not isinstance(text, str):
            raise ConfigError(f"a feedback function returns a text, got {text!r} from {rules.feedback!r}")
        return reward, terminated, truncated, (said, {"role": "user", "content": text}), check

    def ends_after(self, check: CheckResult) -> bool:
        """Return whether a reply with this check would end the episode."""
        correct = self.rules.stop_when_correct and check.verdict is _CORRECT
        return correct or self.turn + 1 >= self.rules.max_turns

    def apply(self, transition: Transition) -> None:
        """Add the messages of a transition, keep its check, and count the turn. This never raises."""
        _, terminated, truncated, messages, self.last_check = transition
        self.messages += messages
        self.over = terminated or truncated
        self.turn += 1
        self.written = None

    def copy(self) -> "Episode":
        """Return an independent copy of the episode. The list of messages is copied, not the messages."""
        twin = object.__new__(Episode)
        twin.rules, twin.problem, twin.turn, twin.over = self.rules, self.problem, self.turn, self.over
        twin.last_check, twin.written = self.last_check, self.written
        twin.messages = self.messages.copy()  # messages are only ever added, never changed
        return twin
