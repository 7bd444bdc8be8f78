"""One episode in progress: its environment, its conversation and the attempts of the current turn."""

import math
from dataclasses import replace
from typing import Any

import gymnasium
import numpy as np

from rise_agents.deliberation.agent_feedback import FeedbackPlan
from rise_agents.evaluation.verifier_questions import read_rating
from rise_agents.rollouts.earlier_reasoning import add_reasoning
from rise_agents.types import Reply
from rise_env.envs.math_env import math_env_of
from rise_env.errors import ConfigError, RiseError
from rise_env.metrics.self_verification import verification_check
from rise_env.trajectories.serialization import episode_id, reply_message
from rise_env.types import (
    NO_REPLY,
    AgentFeedback,
    Attempt,
    CheckResult,
    Conversation,
    Problem,
    Trajectory,
    Turn,
    Verdict,
)

_UNCHECKED = CheckResult(Verdict.NO_ANSWER)


def outgrew_context(attempt: Attempt) -> bool:
    """Return whether an attempt is empty because its conversation left no room for a reply.

    The agents say so with an empty reply without tokens whose `finish` is "length".
    """
    said = attempt.reply or attempt.reasoning or attempt.usage.completion_tokens
    return attempt.finish == "length" and not said


class EpisodeRunner:
    """Runs one episode. An exception of the environment ends the episode as failed and is not raised.

    The scheduler calls `add_reply` for each sample of a turn, then `step`, until `active` is False.

    Args:
        env: A `MathEnv`, wrapped or not. It is reset here.
        index: Index of the problem in the environment's problem set.
        plan: JSON value that identifies the plan in the episode's id; see `plan_record`.
        seed: Seed of the rollout; see `rollout`.
        keep_tokens: See `rollout`.

    Raises:
        ConfigError: There is no problem with this index, or the environment does not observe conversations.
    """

    def __init__(
        self, env: gymnasium.Env[Any, str], index: int, plan: Any, seed: int, *, keep_tokens: bool = True
    ) -> None:
        self.env = env
        self.index = index
        self.attempts: list[Attempt] = []
        """Replies to the current observation."""
        self.conversation: Conversation = ()
        """The current observation, with the reasoning of earlier replies."""
        self.active = True
        """False once the episode is over or failed."""
        self.env_failed = False
        """Whether the environment raised, so that it should not be used again."""
        self._seed = seed
        self._keep_tokens = keep_tokens
        self._turns: list[Turn] = []
        self._considered: list[Attempt] = []
        self._outcome: tuple[bool, bool] | None = None
        """(terminated, truncated), once the environment ended the episode."""
        self._error: str | None = None
        self._feedback: AgentFeedback | None = None
        """What an agent wrote about the attempt of this turn."""
        problems = math_env_of(env).problems
        if not 0 <= index < len(problems):
            raise ConfigError(f"there is no problem {index}: indices must be from 0 to {len(problems) - 1}")
        self.problem: Problem = problems[index]
        self.id = episode_id(self.problem, plan, seed)
        try:
            start = int(np.random.SeedSequence((seed, index)).generate_state(1)[0])
            self.conversation, _ = env.reset(seed=start, options={"index": index})
        except Exception as error:
            self._fail_in_env(error)
        if self.active and not isinstance(self.conversation, tuple):
            raise ConfigError(
                f"agents need conversations as observations, but {env} observes "
                f"{type(self.conversation).__name__}: remove the wrapper that turns observations into text"
            )

    @property
    def solved(self) -> bool:
        """Whether a reply of the current turn is correct."""
        return any(attempt.check.correct for attempt in self.attempts)

    @property
    def outgrown(self) -> bool:
        """Whether the conversation has become too long for the agent, so that no later turn can be played."""
        return bool(self.attempts) and all(map(outgrew_context, self.attempts))

    def truncate(self) -> None:
        """End the episode as truncated after the latest step, unless the environment has ended it."""
        self.active = False
        self._outcome = self._outcome or (False, self._error is None)

    def fail(self, reason: str) -> None:
        """End the episode as failed. The finished turns are kept."""
        self.active = False
        self._error = f"turn {len(self._turns) + 1}: {reason}"

    def add_reply(self, agent: str, reply: Reply, *, check: bool) -> None:
        """Add one attempt to the current turn.

        Args:
            agent: Name of the agent.
            reply: Its reply.
            check: Whether to check the reply now, which sampling until a correct reply requires. If False,
                the reply is checked in `step`.
        """
        withheld = reply.finish in NO_REPLY
        try:
            self._add_considered(agent, reply)
            result = _UNCHECKED
            if withheld:
                result = CheckResult(Verdict.WITHHELD, method=reply.finish)
            elif check:
                result = math_env_of(self.env).check(reply.text)
            reward = math_env_of(self.env).reward(result) if check and not withheld else 0.0
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
                reasoning=reply.reasoning,
                messages=reply.messages,
                finish_reason=reply.finish_reason,
                served_model=reply.served_model,
                system_fingerprint=reply.system_fingerprint,
                token_ids=reply.token_ids if self._keep_tokens else None,
                logprobs=reply.logprobs if self._keep_tokens else None,
                score=reply.score,
            )
        )

    def continues(self) -> bool:
        """Return whether the episode goes on after `step`. The attempts have been checked."""
        if not self.active:
            return False
        best = self.attempts[self._best()]
        return best.finish not in NO_REPLY and not math_env_of(self.env).ends_after(best.check)

    def conversation_with_reply(self) -> Conversation:
        """Return the conversation up to the reply with which `step` will step."""
        return (*self.conversation, reply_message(self.attempts[self._best()]))

    def add_feedback(self, plan: FeedbackPlan, reply: Reply) -> None:
        """Set the message after the attempt of this turn. A failed reply ends the episode as failed."""
        if reply.finish == "error":
            self.fail(f"feedback of {plan.agent.name}: {reply.text}")
        else:
            self._feedback = plan.feedback(reply)

    def _add_considered(self, agent: str, reply: Reply) -> None:
        env = math_env_of(self.env)
        for other in reply.considered:
            check = env.check(other.text)
            reward = float(env.reward(check))
            self._considered.append(
                Attempt(agent=agent, reply=other.text, check=check, reward=reward, score=other.score)
            )

    def step(self) -> None:
        """Step the environment with the attempt of highest reward, the first one among equals.

        If every attempt was withheld, the episode ends here, truncated: there is no action.
        """
        considered, self._considered = tuple(self._considered), []
        if not self.active:
            self.attempts = []
            return
        chosen = self._best()
        attempts, self.attempts = self.attempts, []
        best = attempts[chosen]
        feedback, self._feedback = self._feedback, None
        if best.finish in NO_REPLY:
            self._turns.append(Turn(observation=self.conversation, attempts=tuple(attempts), chosen=chosen))
            self.active, self._outcome = False, (False, True)
            return
        try:
            inner = math_env_of(self.env)
            turn = inner.turn
            if inner.rules.feedback_is_written:  # nothing reads a message after the last turn of the plan
                inner.write_feedback("" if feedback is None else feedback.text)
            conversation, reward, terminated, truncated, _ = self.env.step(best.reply)
            if not math.isfinite(reward):
                raise ValueError(f"the reward is {reward}")
            check = inner.last_check
            if check is None or inner.turn == turn or not isinstance(conversation, tuple):
                raise TypeError("step must check the reply with MathEnv.step, and return a conversation")
        except Exception as error:
            self._fail_in_env(error)
            return
        attempts[chosen] = replace(best, check=check, reward=float(reward))
        self._turns.append(
            Turn(
                observation=self.conversation,
                attempts=tuple(attempts),
                chosen=chosen,
                considered=considered,
                feedback=feedback,
            )
        )
        self.conversation = add_reasoning(conversation, self._turns)
        if terminated or truncated:
            self.active = False
            self._outcome = (terminated, truncated)

    def grade_verification(self) -> None:
        """Grade the latest reply, which says whether the one before it is right; a "yes" ends the episode."""
        if self._error is not None or len(self._turns) < 2:
            return
        rated, said = self._turns[-2:]
        if said.action.finish in NO_REPLY:
            return
        rating = read_rating(said.action.reply)
        check = verification_check(rating, rated.action.check.correct)
        graded = replace(said.action, check=check, reward=float(check.correct))
        self._turns[-1] = replace(said, attempts=(graded,), chosen=0)
        if rating is not None and rating > 0.5:
            self.truncate()

    def to_trajectory(self) -> Trajectory:
        """Return the finished turns; an episode that went on at the end of the plan counts as truncated."""
        terminated, truncated = self._outcome or (False, self._error is None)
        return Trajectory(
            id=self.id,
            problem=self.problem,
            turns=tuple(self._turns),
            seed=self._seed,
            terminated=terminated,
            truncated=truncated,
            error=self._error,
        )

    def _best(self) -> int:
        """Return the index of the attempt that becomes the action: max returns the first of equals."""
        return max(
            range(len(self.attempts)),
            key=lambda i: (self.attempts[i].finish not in NO_REPLY, self.attempts[i].reward),
        )

    def _fail_in_env(self, error: Exception) -> None:
        self.env_failed = True
        self.fail(str(error) if isinstance(error, RiseError) else f"{type(error).__name__}: {error}")
