"""Replies of many episodes as arrays: one pass over the trajectories, after which every metric is fast.

Two shapes of log are read: episodes of several turns (`by_turn`), and independent draws of the first reply
(`by_draw`). Both become `Replies`, arrays of shape [episodes, replies].
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import repeat
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from rise_env.errors import ConfigError
from rise_env.metrics.array_checks import check_array
from rise_env.types import Attempt, CheckResult, Trajectory, Verdict

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

VERDICTS = tuple(Verdict)
"""A verdict's number in `Replies.verdict` is its place here."""
NO_VOTE = 0
"""Class of a reply that states no readable answer, and of one that was not given."""
RIGHT = 1
"""Class of every correct answer, whatever its spelling; wrong answers have classes from 2 on."""
_PLACE = {id(verdict): number for number, verdict in enumerate(VERDICTS)}  # an enum's own hash is slow
_SILENT = {Verdict.NO_ANSWER, Verdict.UNREADABLE}


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Replies:
    """What was replied, shape [episodes, replies] everywhere. A reply that was not given is all zeros."""

    problems: tuple[str, ...]
    """Problem id of every episode."""
    given: Bools
    """False where the episode ended before, because it was solved or because it failed."""
    answer: Ints
    """Class of the answer: NO_VOTE, RIGHT, or from 2 on, the same number for the same wrong answer."""
    verdict: Ints
    """Place in VERDICTS; -1 where not given."""
    tokens: Ints
    """Generated."""
    prompt_tokens: Ints
    """Read."""
    characters: Ints
    """Of the reply."""
    text: Ints
    """The same number for the same text, from 1; 0 where not given."""

    def __post_init__(self) -> None:
        for name in _ARRAYS:
            array = getattr(self, name)
            check_array(name, array, "bool" if name == "given" else "integer", "episodes", "replies")
            if len(array) != len(self.problems) or array.shape != self.given.shape:
                raise ConfigError(
                    f"the arrays of Replies need one shape, with a row per problem: {name} is {array.shape}, "
                    f"given is {self.given.shape}, and there are {len(self.problems)} problems"
                )

    @property
    def correct(self) -> Bools:
        """Whether each reply is right; replies not given are not."""
        return np.asarray(self.answer == RIGHT)

    def first(self, count: int) -> Self:
        """Return the first `count` replies of every episode.

        Raises:
            ConfigError: There are fewer.
        """
        if not 1 <= count <= self.given.shape[1]:
            raise ConfigError(f"asked for {count} replies per episode, and there are {self.given.shape[1]}")
        return self._with(lambda part: part[:, :count])

    def every(self, step: int) -> Self:
        """Return every `step`-th reply, the first one included: the answers of self-refinement.

        The tokens of the replies in between are added to those of the next reply that is kept.

        Raises:
            ConfigError: `step` is below 1.
        """
        if step < 1:
            raise ConfigError(f"step must be at least 1, got {step}")
        kept = self._with(lambda part: part[:, ::step])
        tokens, read = (_since_the_last(part, step) for part in (self.tokens, self.prompt_tokens))
        return replace(kept, tokens=tokens, prompt_tokens=read)

    def in_order(self, problems: Sequence[str]) -> Self:
        """Return the episodes in the order of these problem ids.

        Raises:
            ConfigError: The episodes are not exactly one per id.
        """
        place = {problem: number for number, problem in enumerate(self.problems)}
        if len(place) != len(self.problems) or place.keys() != set(problems):
            raise ConfigError(
                "logs to be compared must be of the same problems, each once: "
                f"got {len(self.problems)} and {len(problems)}"
            )
        order = np.array([place[problem] for problem in problems], dtype=np.int64)
        sorted_ = self._with(lambda part: part[order])
        return type(self)(problems=tuple(problems), **{name: getattr(sorted_, name) for name in _ARRAYS})

    def _with(self, cut: Callable[[npt.NDArray[Any]], npt.NDArray[Any]]) -> Self:
        return type(self)(problems=self.problems, **{name: cut(getattr(self, name)) for name in _ARRAYS})


_ARRAYS = tuple(name for name in Replies.__dataclass_fields__ if name != "problems")


def _since_the_last(values: Ints, step: int) -> Ints:
    running = np.cumsum(values, axis=1)[:, ::step]
    return np.diff(running, axis=1, prepend=0)


def by_turn(trajectories: Iterable[Trajectory], turns: int) -> Replies:
    """Return the replies that episodes went on with, one column per turn.

    Args:
        trajectories: Any number.
        turns: Columns; turns beyond are left out, turns not reached are not given.
    """
    return _tabulate(trajectories, turns, lambda t: [turn.attempts[turn.chosen] for turn in t.turns[:turns]])


def by_draw(trajectories: Iterable[Trajectory], num_samples: int) -> Replies:
    """Return the independent replies to the first observation, one column per draw.

    Args:
        trajectories: Any number; their first turn holds the draws, made without regard to their verdicts.
        num_samples: Columns; draws beyond are left out.
    """
    return _tabulate(
        trajectories, num_samples, lambda t: t.turns[0].attempts[:num_samples] if t.turns else ()
    )


def answer_key(check: CheckResult) -> str | None:
    """Return what a reply votes for: "" for the right answer, a spelling for a wrong one, None for none.

    Wrong answers are told apart by their spelling, blanks and a leading "$" apart.
    """
    if check.verdict is Verdict.CORRECT:
        return ""
    if check.answer is None or check.verdict in _SILENT:
        return None
    return "wrong " + "".join(check.answer.split()).lstrip("$")


def _tabulate(
    trajectories: Iterable[Trajectory], width: int, replies: Callable[[Trajectory], Sequence[Attempt]]
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

    return Replies(
        problems=tuple(problems),
        given=spread(repeat(1, len(index))).astype(bool),
        answer=spread(_classes(checks, places)),
        verdict=spread(places, empty=-1),
        tokens=spread([usage.completion_tokens for usage in usages]),
        prompt_tokens=spread([usage.prompt_tokens for usage in usages]),
        characters=spread(map(len, texts)),
        text=spread([ids[text] for text in texts]),
    )


def _classes(checks: Sequence[CheckResult], places: Sequence[int]) -> list[int]:
    """Number the answers: see `Replies.answer`. A spelling is looked at once, however often it is given."""
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
