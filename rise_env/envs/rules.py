"""The rules of an episode: the arguments that `MathEnv` and `MathVectorEnv` share.

Their types, defaults and checks are stated here. What each of them means is in the docstring of `MathEnv`.
"""

from dataclasses import dataclass, field, fields

import gymnasium

from rise_env.envs.feedback import (
    ConversationFeedback,
    FeedbackFunction,
    FeedbackLike,
    WrittenFeedback,
    get_feedback,
    reads_conversation,
)
from rise_env.envs.initial_prompt import FewShotLike, InitialPrompt, make_initial_prompt
from rise_env.envs.rewards import RewardFunction, Rewards, RewardsLike, delay_gain, get_rewards
from rise_env.errors import ConfigError
from rise_env.utils.signatures import convert_value


@dataclass(frozen=True, kw_only=True)
class Rules:
    """The settings that every episode of an environment shares.

    The first eight fields are the arguments of `MathEnv` with the same names; the others are computed from
    them.

    Raises:
        ConfigError: An argument is unknown, out of range, or contradicts another one.
    """

    feedback: FeedbackLike = "blind"
    rewards: RewardsLike = "gsm8k"
    max_turns: int = 5
    stop_when_correct: bool = True
    prompt: str | None = "rise"
    system_prompt: str | None = None
    few_shot: FewShotLike = 0
    released_rise: bool = False

    feedback_function: FeedbackFunction | ConversationFeedback = field(init=False)
    feedback_reads_conversation: bool = field(init=False)
    feedback_is_written: bool = field(init=False)
    """Whether the caller of `step` gives the feedback; see `WrittenFeedback`."""
    reward_function: RewardFunction = field(init=False)
    initial_prompt: InitialPrompt = field(init=False)

    def __post_init__(self) -> None:
        for rule in fields(self):
            if rule.init and rule.name != "few_shot":  # its own messages say more
                value = convert_value(getattr(self, rule.name), rule.type, what=rule.name)
                object.__setattr__(self, rule.name, value)
        if self.max_turns < 1:
            raise ConfigError(f"max_turns must be at least 1, got {self.max_turns}")
        feedback, prompt = self.feedback, self.prompt
        if self.released_rise:
            if prompt not in (Rules.prompt, "released_rise"):
                raise ConfigError(f"released_rise=True has a prompt of its own: leave out prompt={prompt!r}")
            if feedback not in (Rules.feedback, "released_rise"):
                raise ConfigError(
                    f"released_rise=True has feedback of its own: leave out feedback={feedback!r}"
                )
            feedback = prompt = "released_rise"
        rewards = get_rewards(self.rewards)
        if (
            isinstance(rewards, Rewards)
            and self.stop_when_correct
            and delay_gain(rewards, self.max_turns) > 0
        ):
            gymnasium.logger.warn(f"delaying the right answer pays more than giving it, under {rewards}")
        initial = make_initial_prompt(prompt=prompt, system_prompt=self.system_prompt, few_shot=self.few_shot)
        function = get_feedback(feedback)
        object.__setattr__(self, "feedback_function", function)
        object.__setattr__(self, "feedback_reads_conversation", reads_conversation(function))
        object.__setattr__(self, "feedback_is_written", isinstance(function, WrittenFeedback))
        object.__setattr__(self, "reward_function", rewards)
        object.__setattr__(self, "initial_prompt", initial)
