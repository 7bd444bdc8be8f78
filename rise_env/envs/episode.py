"""One episode, without Gymnasium: `MathEnv` runs one of them, `MathVectorEnv` many at a time."""

from rise_env.envs.rules import Rules
from rise_env.errors import EpisodeError
from rise_env.types import CheckResult, Conversation, Message, Problem


class Episode:
    """The state of one episode: its problem and all messages so far.

    Args:
        rules: Of the environment.
        problem: The problem that the episode poses.
    """

    __slots__ = ("messages", "over", "problem", "rules", "turn")

    def __init__(self, rules: Rules, problem: Problem) -> None:
        self.rules = rules
        self.problem = problem
        self.messages: list[Message] = rules.initial_prompt.messages(problem)
        self.turn = 0
        self.over = False

    def observation(self) -> Conversation:
        """Return the messages so far in new dicts; the texts are shared with the episode."""
        return tuple(map(dict.copy, self.messages))  # type: ignore[arg-type]

    def advance(self, reply: str, check: CheckResult) -> tuple[float, bool, bool]:
        """Add a reply and the feedback to it, and count the turn.

        Args:
            reply: The agent's reply.
            check: What the checker found in it.

        Returns:
            Reward, terminated, truncated.

        Raises:
            EpisodeError: The episode is over.
        """
        if self.over:
            raise EpisodeError("the episode is over: call reset()")
        rules = self.rules
        reward = rules.reward_scheme.of(check, self.turn)
        terminated = rules.stop_when_correct and check.correct
        truncated = not terminated and self.turn + 1 >= rules.max_turns
        messages = self.messages
        messages.append({"role": "assistant", "content": reply})
        if terminated or truncated:
            self.over = True
        else:
            text = rules.feedback_function(self.problem, check, self.turn)
            messages.append({"role": "user", "content": text})
        self.turn += 1
        return reward, terminated, truncated

    def copy(self) -> "Episode":
        """Return an independent episode at the same point. Copies one list of references, no text."""
        twin = object.__new__(Episode)
        twin.rules, twin.problem, twin.turn, twin.over = self.rules, self.problem, self.turn, self.over
        twin.messages = self.messages.copy()  # messages are only ever added, never changed
        return twin
