"""Selects from trajectories the replies to train, each with its history. Pure functions.

A `TrainingTarget` is one reply to train, with the messages that the policy saw before it. The criteria have
exactly the meaning of those in the released code of RISE (arXiv:2407.18219, `workflow_convert.py`); the tests
contain examples that were worked out by hand from that code.

To change which turns are trained, write a function and enter it in `CRITERIA` (decides by the rewards) or in
`TURNS` (decides by the place in the trajectory). Settings, help, errors and estimates read these tables.
Which tokens of a trained reply count is decided in `tokenization`.
"""

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from rise_env.errors import ConfigError
from rise_env.types import NO_REPLY, Conversation, Message, Trajectory, Turn
from rise_env.utils.suggestions import validate_choice


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingTarget:
    """One reply to train."""

    trajectory: str
    """The id of its trajectory."""
    problem: str
    """The id of its problem."""
    turn: int
    """The number of the turn in the trajectory as it was played, from 0."""
    start: Conversation
    """The messages before the first reply of the trajectory; every turn begins with them."""
    history: Conversation
    """The messages between `start` and this reply: earlier replies, each followed by its feedback."""
    reply: str
    reward: float
    complete: bool = True
    """Whether the model ended the reply itself. If the length limit cut it, no end token is trained."""
    agent: str = ""
    """The name of the agent that replied."""
    reasoning: str = ""
    """What it thought before the reply."""
    token_ids: tuple[int, ...] | None = None
    """The tokens that it sampled; None where they are unknown."""
    logprobs: tuple[float, ...] | None = None
    """Natural logarithm of the probability of each sampled token; None where it is unknown."""
    prompt_tokens: int = 0
    """The number of tokens of the prompt when it was played; 0 if it is unknown, or if the selection changed
    the history."""
    problem_rewards: tuple[float, ...] = ()
    """The rewards of all attempts at the problem in the data, for weights that are centred per problem."""

    @property
    def prompt(self) -> Conversation:
        """All messages that the policy sees before it replies."""
        return self.start + self.history


def every(rewards: Sequence[float], success: float) -> list[int]:
    """Keep every turn."""
    return list(range(len(rewards)))


def better(rewards: Sequence[float], success: float) -> list[int]:
    """Keep the first turn, and turns whose reward is above that of the turn before."""
    return [i for i in range(len(rewards)) if i == 0 or rewards[i] > rewards[i - 1]]


def best(rewards: Sequence[float], success: float) -> list[int]:
    """Keep turns whose reward is at least that of every earlier turn; the first turn is one of them."""
    return [i for i in range(len(rewards)) if all(rewards[i] >= earlier for earlier in rewards[:i])]


def successful(rewards: Sequence[float], success: float) -> list[int]:
    """Keep turns whose reward is at least `success`."""
    return [i for i, reward in enumerate(rewards) if reward >= success]


CRITERIA: Mapping[str, Callable[[Sequence[float], float], list[int]]] = {
    "all": every,
    "better": better,
    "best": best,
    "successful": successful,
}
"""Name of a criterion -> function of the rewards of all turns and the smallest reward that is a success. It
returns the indices of the turns to train."""


def every_turn(kept: Sequence[int], played: Sequence[int]) -> list[int]:
    """Keep all turns that the criterion kept."""
    return list(kept)


def first_turn(kept: Sequence[int], played: Sequence[int]) -> list[int]:
    """Keep the turn with which the trajectory began."""
    return [place for place in kept if played[place] == 0]


def later_turns(kept: Sequence[int], played: Sequence[int]) -> list[int]:
    """Keep all turns but the one with which the trajectory began."""
    return [place for place in kept if played[place] > 0]


def last_turn(kept: Sequence[int], played: Sequence[int]) -> list[int]:
    """Keep the last of the turns that the selection left, if the criterion kept it."""
    return [place for place in kept if place == len(played) - 1]


@dataclass(frozen=True, slots=True)
class TurnRule:
    """Which of the turns that the criterion keeps are trained."""

    select: Callable[[Sequence[int], Sequence[int]], list[int]]
    """Returns those of the indices `kept` by the criterion that are trained. `played[i]` is the number of
    turn i, from 0, in the trajectory as it was played."""
    most: int | None = None
    """The largest number of turns that it trains of one trajectory, for the estimates of a dry run; None is
    all turns."""


TURNS: Mapping[str, TurnRule] = {
    "all": TurnRule(every_turn),
    "first": TurnRule(first_turn, most=1),
    "last": TurnRule(last_turn, most=1),
    "later": TurnRule(later_turns),
}
"""Name of a choice of turns -> its rule."""

if TYPE_CHECKING:
    Criterion = str
    TurnChoice = str
else:
    Criterion = Literal[*CRITERIA]
    TurnChoice = Literal[*TURNS]
"""The types of settings that name an entry. The command line lists their values from the tables."""


@dataclass(frozen=True, kw_only=True)  # no slots: jsonargparse reads a nested default's __dict__
class Selection:
    """Which replies are trained. The defaults train every turn up to the first success."""

    criterion: Criterion = "all"
    """Which turns are trained, by their rewards."""
    turns: TurnChoice = "all"
    """Which of the turns that the criterion keeps: all, the first one, the last one, or all but the first."""
    history: int | None = None
    """The number of earlier attempts, the latest ones, that the model sees before a trained reply. None shows
    those that were shown when it was played, 0 the problem alone."""
    solved_only: bool = False
    """Drop trajectories that never succeed."""
    keep_after_success: bool = False
    """Keep turns after the first success (correct-to-correct pairs)."""
    drop_duplicates: bool = False
    """Remove replies that are empty or repeat an earlier reply of the trajectory, also from the history."""
    per_problem: int | None = None
    """The largest number of trajectories per problem, drawn at random; None keeps all."""
    success: float = 1.0
    """The smallest reward that is a success."""

    def __post_init__(self) -> None:
        validate_choice(self.criterion, CRITERIA, "criterion")
        validate_choice(self.turns, TURNS, "choice of turns")
        if self.history is not None and self.history < 0:
            raise ConfigError(f"history must be at least 0, got {self.history}")
        if self.per_problem is not None and self.per_problem < 1:
            raise ConfigError(f"per_problem must be at least 1, got {self.per_problem}")


def kept_turns(rewards: Sequence[float], criterion: Criterion, success: float = 1.0) -> list[int]:
    """Return the indices of the turns that the criterion keeps.

    >>> kept_turns([0, 0, -1, 1], "better"), kept_turns([0, 0, -1, 1], "best")
    ([0, 3], [0, 1, 3])
    """
    return CRITERIA[criterion](rewards, success)


def targets(trajectory: Trajectory, selection: Selection) -> list[TrainingTarget]:
    """Return the training targets of one trajectory, in the order in which its turns were played."""
    turns = [
        (index, turn) for index, turn in enumerate(trajectory.turns) if turn.action.finish not in NO_REPLY
    ]
    if not selection.keep_after_success:
        turns = _until_success(turns, selection.success)
    rewards = [turn.action.reward for _, turn in turns]
    if selection.solved_only and not any(reward >= selection.success for reward in rewards):
        return []
    if selection.drop_duplicates:
        turns = _without_duplicates(turns)
        rewards = [turn.action.reward for _, turn in turns]
    kept = kept_turns(rewards, selection.criterion, selection.success)
    kept = TURNS[selection.turns].select(kept, [index for index, _ in turns])
    return [_target(trajectory, *turns[place], selection) for place in kept]


def select_targets(
    trajectories: Iterable[Trajectory], selection: Selection, *, seed: int = 0
) -> list[TrainingTarget]:
    """Return the targets of all trajectories.

    Args:
        trajectories: The trajectories of all stores and iterations. Of several with the same id, one counts.
        selection: Which replies are trained.
        seed: Seed of the random choice when `per_problem` limits the trajectories of a problem.
    """
    unique = {trajectory.id: trajectory for trajectory in trajectories}
    chosen = list(unique.values())
    rewards = attempt_rewards(chosen)
    if selection.per_problem is not None:
        chosen = _capped(chosen, selection.per_problem, seed)
    return [
        dataclasses.replace(target, problem_rewards=rewards[target.problem])
        for trajectory in chosen
        for target in targets(trajectory, selection)
    ]


def attempt_rewards(trajectories: Iterable[Trajectory]) -> dict[str, tuple[float, ...]]:
    """Return id of a problem -> the rewards of all attempts at it.

    Every turn counts, and of a turn with several samples every sample. Attempts without a reply (`NO_REPLY`)
    do not count.
    """
    found: dict[str, list[float]] = {}
    for trajectory in trajectories:
        rewards = found.setdefault(trajectory.problem.id, [])
        for turn in trajectory.turns:
            rewards += [attempt.reward for attempt in turn.attempts if attempt.finish not in NO_REPLY]
    return {problem: tuple(rewards) for problem, rewards in found.items()}


def shortened(target: TrainingTarget, attempts: int) -> TrainingTarget:
    """Return the target with only the latest `attempts` earlier attempts in its history."""
    return dataclasses.replace(target, history=_latest(target.history, attempts))


def attempts_in(history: Conversation) -> int:
    """Return how many earlier attempts a history holds."""
    return sum(message["role"] == "assistant" for message in history)


def _until_success(turns: list[tuple[int, Turn]], success: float) -> list[tuple[int, Turn]]:
    for place, (_, turn) in enumerate(turns):
        if turn.action.reward >= success:
            return turns[: place + 1]
    return turns


def _without_duplicates(turns: list[tuple[int, Turn]]) -> list[tuple[int, Turn]]:
    seen = {""}
    unique = []
    for index, turn in turns:
        reply = turn.action.reply.strip()
        if reply not in seen:
            seen.add(reply)
            unique.append((index, turn))
    return unique


def _target(trajectory: Trajectory, index: int, turn: Turn, selection: Selection) -> TrainingTarget:
    start = trajectory.turns[0].observation
    shared = turn.observation[: len(start)] == start
    # an observation that does not begin like the first one (a wrapper rewrote it) is taken as it is
    begin, history = (start, turn.observation[len(start) :]) if shared else (turn.observation, ())
    if selection.drop_duplicates:
        history = _unique_attempts(history)
    if selection.history is not None:
        history = _latest(history, selection.history)
    action = turn.action
    return TrainingTarget(
        trajectory=trajectory.id,
        problem=trajectory.problem.id,
        turn=index,
        start=begin,
        history=history,
        reply=action.reply,
        reward=action.reward,
        complete=action.finish == "stop",
        agent=action.agent,
        reasoning=action.reasoning,
        token_ids=action.token_ids,
        logprobs=action.logprobs,
        prompt_tokens=action.usage.prompt_tokens if begin + history == turn.observation else 0,
    )


def _attempts(history: Conversation) -> list[Conversation]:
    """Split a history into earlier attempts: each a reply with the messages that answer it."""
    parts: list[list[Message]] = []
    for message in history:
        if message["role"] == "assistant" or not parts:
            parts.append([])
        parts[-1].append(message)
    return [tuple(part) for part in parts]


def _latest(history: Conversation, attempts: int) -> Conversation:
    parts = _attempts(history)
    kept = parts[len(parts) - attempts :] if attempts < len(parts) else parts
    return tuple(message for part in kept for message in part)


def _unique_attempts(history: Conversation) -> Conversation:
    seen = {""}
    kept = []
    for part in _attempts(history):
        reply = part[0]["content"].strip()
        if part[0]["role"] == "assistant" and reply in seen:
            continue
        seen.add(reply)
        kept.append(part)
    return tuple(message for part in kept for message in part)


def _capped(trajectories: list[Trajectory], limit: int, seed: int) -> list[Trajectory]:
    rng = np.random.default_rng(np.random.SeedSequence((seed, len(trajectories))))
    count: dict[str, int] = {}
    kept: set[str] = set()
    for place in rng.permutation(len(trajectories)):
        trajectory = trajectories[int(place)]
        if count.get(trajectory.problem.id, 0) < limit:
            count[trajectory.problem.id] = count.get(trajectory.problem.id, 0) + 1
            kept.add(trajectory.id)
    return [trajectory for trajectory in trajectories if trajectory.id in kept]
