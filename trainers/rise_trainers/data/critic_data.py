r"""Makes examples for a critic from played episodes: questions about replies with the answers yes or no.

One language model is the critic: it is asked about a whole reply, about the beginning of one, or about its
last step (`rise_agents.evaluation.verifier_questions`), and fitted with \boxed{yes} or \boxed{no} as replies.
Cross-entropy makes its probability of yes the share of right replies, which is the value of a beginning.
"""

import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from rise_agents.evaluation.verifier_questions import NO, OUTCOME, PREFIX, STEP, YES, verifier_prompt
from rise_agents.mcts.critics import question_of
from rise_agents.mcts.options import check_kind, split
from rise_env.errors import ConfigError
from rise_env.trajectories.serialization import episode_id
from rise_env.types import NO_REPLY, Attempt, CheckResult, Problem, Trajectory, Turn, Verdict
from rise_env.utils.seeding import derive
from rise_env.utils.suggestions import validate_choice

KINDS = {"outcome": OUTCOME, "value": PREFIX, "process": STEP}
"""Kind of example -> what is asked."""

MIN_SHARED = 4
"""The last step of a beginning is judged only if this many replies begin in this way."""

EXAMPLES, HELD_OUT, QUALITY = "examples.jsonl", "held_out.jsonl", "quality.json"
"""File names of the examples to fit on, those to measure with, and the measures."""

LABELS = "labels"
"""The agent that the stored examples name."""


@dataclass(frozen=True, kw_only=True)
class LabelSettings:
    """Which examples are made.

    Raises:
        ConfigError: A value is out of range, or there is no such kind.
    """

    kinds: tuple[str, ...] = ("outcome", "value")
    """Any of outcome (a whole reply), value (the beginning of one) and process (the last step of one)."""
    per_reply: int = 2
    """Beginnings of each reply for the kind value, cut at random options."""
    option: str = "line"
    """Where options end; the search that asks the critic has the same setting."""
    balance: bool = True
    """Take as many right as wrong replies of each problem; problems without both give no example."""
    considered: bool = False
    """Take also the replies that a search weighed and did not give."""
    seed: int = 0
    """Seed of the choices."""

    def __post_init__(self) -> None:
        for kind in self.kinds:
            validate_choice(kind, KINDS, "kind of example")
        if not self.kinds or self.per_reply < 1:
            raise ConfigError(
                "kinds must not be empty and per_reply at least 1, got "
                f"{list(self.kinds)} and {self.per_reply}"
            )
        check_kind(self.option)


def is_held_out(problem_id: str) -> bool:
    """Return whether a problem is one of the tenth with which a critic is measured and not fitted."""
    return int(hashlib.sha256(problem_id.encode()).hexdigest()[:8], 16) % 10 == 0


def critic_examples(trajectories: Iterable[Trajectory], settings: LabelSettings) -> Iterator[Trajectory]:
    """Yield one-turn episodes whose reply is the right answer to a question about a played reply.

    All attempts of all turns count, and with `considered` the replies that were not given, apart from those
    without a reply and those whose check ran out of time. Examples come problem by problem, in the order in
    which the problems appear first.

    Args:
        trajectories: Played episodes.
        settings: Which examples are made.
    """
    by_problem: dict[str, list[tuple[Trajectory, Attempt]]] = defaultdict(list)
    for trajectory in trajectories:
        for turn in trajectory.turns:
            replies = turn.attempts + (turn.considered if settings.considered else ())
            usable = (a for a in replies if a.finish not in NO_REPLY)
            by_problem[trajectory.problem.id] += [
                (trajectory, a) for a in usable if a.check.verdict is not Verdict.TIMEOUT
            ]
    for place, played in enumerate(by_problem.values()):
        rng = np.random.default_rng(derive(settings.seed, place))
        yield from _of_problem(played, settings, rng)


def _of_problem(
    played: Sequence[tuple[Trajectory, Attempt]], settings: LabelSettings, rng: np.random.Generator
) -> Iterator[Trajectory]:
    kept = _balanced(played, rng) if settings.balance else list(played)
    if not kept:
        return
    trajectory = kept[0][0]
    question = question_of(trajectory.turns[0].observation)
    number = 0
    for _, attempt in kept:
        for kind, text in _questions(attempt.reply, settings, rng):
            yield _example(trajectory.problem, question, kind, text, attempt.check.correct, number)
            number += 1
    if "process" in settings.kinds:
        for text, right in _steps([attempt for _, attempt in played], settings.option):
            yield _example(trajectory.problem, question, "process", text, right, number)
            number += 1


def _balanced(
    played: Sequence[tuple[Trajectory, Attempt]], rng: np.random.Generator
) -> list[tuple[Trajectory, Attempt]]:
    """Return as many right as wrong replies, in their order."""
    right = [place for place, (_, attempt) in enumerate(played) if attempt.check.correct]
    wrong = [place for place in range(len(played)) if place not in set(right)]
    count = min(len(right), len(wrong))
    chosen = {int(place) for part in (right, wrong) for place in rng.permutation(part)[:count]}
    return [played[place] for place in sorted(chosen)]


def _questions(reply: str, settings: LabelSettings, rng: np.random.Generator) -> Iterator[tuple[str, str]]:
    """Yield (kind, text) of the questions about one reply."""
    if "outcome" in settings.kinds:
        yield "outcome", reply
    options = split(reply, settings.option)
    if "value" in settings.kinds and len(options) > 1:
        cuts = rng.choice(len(options) - 1, size=min(settings.per_reply, len(options) - 1), replace=False)
        for cut in sorted(int(cut) for cut in cuts):
            yield "value", "".join(options[: cut + 1])


def _steps(attempts: Collection[Attempt], option: str) -> Iterator[tuple[str, bool]]:
    """Yield beginnings that enough replies share, and whether more than half of these are right."""
    outcomes: dict[str, list[bool]] = defaultdict(list)
    for attempt in attempts:
        beginning = ""
        for part in split(attempt.reply, option)[:-1]:
            beginning += part
            outcomes[beginning].append(attempt.check.correct)
    for beginning, right in outcomes.items():
        if len(right) >= MIN_SHARED:
            yield beginning, sum(right) / len(right) > 0.5


def _example(problem: Problem, question: str, kind: str, text: str, right: bool, number: int) -> Trajectory:
    answer = YES if right else NO
    asked = replace(problem, reference="yes" if right else "no", solution=None, extra=None)
    attempt = Attempt(
        agent=LABELS, reply=answer, check=CheckResult(Verdict.CORRECT, asked.reference), reward=1.0
    )
    return Trajectory(
        id=episode_id(asked, [kind, number, text], 0),
        problem=replace(asked, meta={**asked.meta, "kind": kind}),
        turns=(Turn(observation=verifier_prompt(question, text, KINDS[kind]), attempts=(attempt,)),),
        seed=0,
        terminated=True,
    )
