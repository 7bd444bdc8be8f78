"""Replies of many episodes as arrays, so that metrics are array operations.

Two kinds of logs are read: episodes of several turns (`by_turn`), and independent draws of the first reply
(`by_draw`). Both become `Replies`, arrays of shape [episodes, replies].
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import repeat
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from rise_env.errors import ConfigError
from rise_env.metrics.array_checks import Kind, check_array
from rise_env.metrics.self_correction.edit_distance import edit_distance
from rise_env.types import Attempt, CheckResult, Trajectory, Verdict

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]

VERDICTS = tuple(Verdict)
"""`Replies.verdict` has the index of a verdict in this tuple."""
NO_VOTE = 0
"""Class of a reply that states no readable answer, and of one that was not given."""
RIGHT = 1
"""Class of every correct answer, whatever its spelling; wrong answers have classes from 2 on."""
_PLACE = {id(verdict): number for number, verdict in enumerate(VERDICTS)}
"""`id()` of a verdict -> its index in VERDICTS. This is faster than hashing members of an enum."""
_NO_VOTE_VERDICTS = {Verdict.NO_ANSWER, Verdict.UNREADABLE, Verdict.WITHHELD}


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Replies:
    """Replies as arrays of shape [episodes, replies].

    A reply that was not given has the value 0, unless the field says otherwise.

    Raises:
        ConfigError: The arrays differ in shape, or one has another dtype than annotated.
    """

    problems: tuple[str, ...]
    """Problem id of every episode."""
    given: Bools
    """False if the episode had ended before, because it was solved or because it failed."""
    answer: Ints
    """Class of the answer: NO_VOTE, RIGHT, or from 2 on, the same number for the same wrong answer."""
    verdict: Ints
    """Index in VERDICTS; -1 for replies that were not given."""
    tokens: Ints
    """Generated tokens."""
    prompt_tokens: Ints
    """Tokens of the prompt."""
    characters: Ints
    """Length of the reply in characters."""
    text: Ints
    """A number from 1 that is the same for the same text; 0 for replies that were not given."""
    cached_tokens: Ints
    """Tokens of the prompt that came from a prefix cache."""
    calls: Ints
    """Replies of models that the agent asked for to give this one, which is at least one."""
    score: Floats
    """What the agent itself, or a verifier, said of the reply, in [0, 1]; NaN where nobody said anything."""
    cut: Bools
    """Whether the reply was cut at the limit of tokens."""
    scored_tokens: Ints
    """Sampled tokens whose log-probabilities are stored."""
    surprisal: Floats
    """Sum of the negative log-probabilities of these tokens, in nats."""
    edits: Floats
    """Edit distance of the reply to the one before it, in [0, 1] (see `self_correction.edit_distance`); NaN
    for the first reply of an episode, and where it was not computed."""

    def __post_init__(self) -> None:
        for name in _ARRAYS:
            array = getattr(self, name)
            check_array(name, array, _KINDS.get(name, "integer"), "episodes", "replies")
            if len(array) != len(self.problems) or array.shape != self.given.shape:
                raise ConfigError(
                    f"the arrays of Replies need one shape, with a row per problem: {name} is {array.shape}, "
                    f"given is {self.given.shape}, and there are {len(self.problems)} problems"
                )

    @property
    def correct(self) -> Bools:
        """Whether each reply is right; False for replies that were not given."""
        return np.asarray(self.answer == RIGHT)

    def first(self, count: int) -> Self:
        """Return the first `count` replies of every episode.

        Raises:
            ConfigError: The episodes have fewer replies.
        """
        if not 1 <= count <= self.given.shape[1]:
            raise ConfigError(
                f"cannot take the first {count} replies: the episodes have {self.given.shape[1]}; "
                f"ask for 1 to {self.given.shape[1]}"
            )
        return self._with(lambda part: part[:, :count])

    def between(self, first: int, last: int) -> Self:
        """Return the replies with the numbers `first` to `last`, counted from 1.

        Raises:
            ConfigError: The episodes do not have these replies.
        """
        replies = self.given.shape[1]
        if not 1 <= first <= last <= replies:
            raise ConfigError(f"cannot take the replies {first} to {last}: the episodes have {replies}")
        return self._with(lambda part: part[:, first - 1 : last])

    def every(self, step: int) -> Self:
        """Return every `step`-th reply, beginning with the first: in self-refinement, those with an answer.

        The tokens and calls of the replies in between are added to those of the next reply that is kept.

        Raises:
            ConfigError: `step` is below 1.
        """
        if step < 1:
            raise ConfigError(f"step must be at least 1, got {step}")
        kept = self._with(lambda part: part[:, ::step])
        return replace(
            kept,
            tokens=_sums_between(self.tokens, step),
            prompt_tokens=_sums_between(self.prompt_tokens, step),
            cached_tokens=_sums_between(self.cached_tokens, step),
            calls=_sums_between(self.calls, step),
        )

    def in_order(self, problems: Sequence[str]) -> Self:
        """Return the episodes in the order of these problem ids.

        Raises:
            ConfigError: The episodes are not exactly one per id.
        """
        place = {problem: number for number, problem in enumerate(self.problems)}
        if len(place) != len(self.problems) or place.keys() != set(problems):
            raise ConfigError(
                "logs to be compared must have the same problems, each once: "
                f"one has {len(self.problems)} episodes, and the other has {len(problems)}"
            )
        order = np.array([place[problem] for problem in problems], dtype=np.int64)
        sorted_ = self._with(lambda part: part[order])
        return type(self)(problems=tuple(problems), **{name: getattr(sorted_, name) for name in _ARRAYS})

    def _with(self, cut: Callable[[npt.NDArray[Any]], npt.NDArray[Any]]) -> Self:
        return type(self)(problems=self.problems, **{name: cut(getattr(self, name)) for name in _ARRAYS})


_KINDS: dict[str, Kind] = {
    "given": "bool", "cut": "bool", "score": "float", "surprisal": "float", "edits": "float",
}  # fmt: skip
"""Arrays that are not of integers."""
_ARRAYS = tuple(name for name in Replies.__dataclass_fields__ if name != "problems")


def _sums_between(values: Ints, step: int) -> Ints:
    running = np.cumsum(values, axis=1)[:, ::step]
    return np.diff(running, axis=1, prepend=0)


def by_turn(trajectories: Iterable[Trajectory], turns: int, *, edits: bool = False) -> Replies:
    """Return the chosen reply of each turn, one column per turn.

    Args:
        trajectories: The episodes.
        turns: Number of columns. Later turns are left out; replies of turns that an episode did not reach are
            not given.
        edits: Whether to compute `Replies.edits`, which takes longer than everything else together.
    """
    return _tabulate(
        trajectories, turns, lambda t: [turn.attempts[turn.chosen] for turn in t.turns[:turns]], edits=edits
    )


def by_draw(trajectories: Iterable[Trajectory], num_samples: int) -> Replies:
    """Return the independent replies to the first observation, one column per draw.

    Args:
        trajectories: The episodes. Their first turn has the draws, whose number must not depend on verdicts.
        num_samples: Number of columns. Later draws are left out.
    """
    return _tabulate(
        trajectories, num_samples, lambda t: t.turns[0].attempts[:num_samples] if t.turns else ()
    )


def answer_key(check: CheckResult) -> str | None:
    """Return what a reply votes for: "" for the right answer, the spelling of a wrong one, None for no vote.

    Spellings are compared without blanks and without a leading "$".
    """
    if check.verdict is Verdict.CORRECT:
        return ""
    if check.answer is None or check.verdict in _NO_VOTE_VERDICTS:
        return None
    return "wrong " + "".join(check.answer.split()).lstrip("$")


def _tabulate(
    trajectories: Iterable[Trajectory],
    width: int,
    replies: Callable[[Trajectory], Sequence[Attempt]],
    *,
    edits: bool = False,
) -> Replies:
    if width < 1:
        raise ConfigError(f"need at least one reply per episode, got {width}")
    problems: list[str] = []
    where: list[int] = []
    attempts: list[Attempt] = []
    for number, trajectory in enumerate(trajectories):
        problems.append(trajectory.problem.id)
        found = replies(trajectory)
        attempts += found
        where += range(number * width, number * width + len(found))
    texts = [attempt.reply for attempt in attempts]
    ids = dict(zip(texts, range(1, len(texts) + 1), strict=True))
    checks = [attempt.check for attempt in attempts]
    places = [_PLACE[id(check.verdict)] for check in checks]
    usages = [attempt.usage for attempt in attempts]
    shape = (len(problems), width)
    index = np.array(where, dtype=np.int64)

    def spread(values: Iterable[int], empty: int = 0) -> Ints:
        flat = np.full(shape[0] * shape[1], empty, dtype=np.int64)
        flat[index] = np.fromiter(values, np.int64, len(index))
        return flat.reshape(shape)

    def spread_floats(values: Sequence[float], empty: float = np.nan) -> Floats:
        flat = np.full(shape[0] * shape[1], empty)
        flat[index] = values
        return flat.reshape(shape)

    logprobs = [attempt.logprobs or () for attempt in attempts]
    return Replies(
        problems=tuple(problems),
        given=spread(repeat(1, len(index))).astype(bool),
        answer=spread(_classes(checks, places)),
        verdict=spread(places, empty=-1),
        tokens=spread([usage.completion_tokens for usage in usages]),
        prompt_tokens=spread([usage.prompt_tokens for usage in usages]),
        characters=spread(map(len, texts)),
        text=spread([ids[text] for text in texts]),
        cached_tokens=spread([usage.cached_tokens for usage in usages]),
        calls=spread([usage.calls or 1 for usage in usages]),
        score=spread_floats([np.nan if attempt.score is None else attempt.score for attempt in attempts]),
        cut=spread([attempt.finish == "length" for attempt in attempts]).astype(bool),
        scored_tokens=spread(map(len, logprobs)),
        surprisal=spread_floats([-sum(values) for values in logprobs], empty=0.0),
        edits=spread_floats(_edits(texts, where, width) if edits else [np.nan] * len(texts)),
    )


def _edits(texts: Sequence[str], where: Sequence[int], width: int) -> list[float]:
    """Return the edit distance of each text to the one before it in its episode."""
    found = []
    for number, (text, place) in enumerate(zip(texts, where, strict=True)):
        follows = place % width and number and where[number - 1] == place - 1
        found.append(edit_distance(texts[number - 1], text) if follows else np.nan)
    return found


def _classes(checks: Sequence[CheckResult], places: Sequence[int]) -> list[int]:
    """Return the classes of answers, as in `Replies.answer`. Each spelling is normalized only once."""
    classes: dict[str | None, int] = {None: NO_VOTE, "": RIGHT}
    seen: dict[tuple[int, str | None], int] = {}
    numbers = []
    for check, place in zip(checks, places, strict=True):
        spelled = (place, check.answer)
        number = seen.get(spelled)
        if number is None:
            number = seen[spelled] = classes.setdefault(answer_key(check), len(classes))
        numbers.append(number)
    return numbers
