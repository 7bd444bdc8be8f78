r"""Best of N: a verifier, who never sees the reference answer, picks one of N independent replies.

A verifier is an agent. For every reply it is asked whether the reply is right, and answers \boxed{yes},
\boxed{no}, or a chance between 0 and 1; asked several times, the mean counts. The reply with the highest
score is picked, the first one of equals; an answer that cannot be read scores 0.
Source: the verifiers of arXiv:2110.14168, which reranks as done here.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any

from rise_agents.rollout.fault_isolation import FaultIsolator
from rise_agents.types import Agent, Reply, SamplingConfig
from rise_env.checkers.extraction.boxed import last_boxed
from rise_env.errors import ConfigError
from rise_env.trajectories.serialization import episode_id
from rise_env.types import Attempt, CheckResult, Conversation, Trajectory, Turn, Verdict
from rise_env.utils.seeding import derive

QUESTION = (
    "Here is a problem and a solution of it. Is the final answer of the solution right? Check it step by "
    "step and finish with \\boxed{{yes}} or \\boxed{{no}}.\n\nProblem: {question}\n\nSolution: {reply}"
)


def judgement(question: str, reply: str) -> Conversation:
    """Return what a verifier is asked."""
    return ({"role": "user", "content": QUESTION.format(question=question, reply=reply)},)


def score(text: str) -> float | None:
    r"""Read a verifier's answer: 1 for \boxed{yes}, 0 for \boxed{no}, or a chance in [0, 1]; else None.

    >>> score(r"All steps hold, so \boxed{yes}."), score(r"\boxed{0.25}"), score("Well.")
    (1.0, 0.25, None)
    """
    answer = (last_boxed(text) or "").strip().lower()
    if answer in ("yes", "no"):
        return float(answer == "yes")
    try:
        value = float(answer)
    except ValueError:
        return None
    return value if 0 <= value <= 1 else None


def pick(scores: Sequence[float]) -> int:
    """Return the index of the highest score, the first of equals."""
    return max(range(len(scores)), key=lambda i: scores[i])


def best_of_n(
    verifier: Agent,
    draws: Iterable[Trajectory],
    sampling: SamplingConfig,
    *,
    num_samples: int,
    votes: int,
    seed: int,
    max_concurrent_episodes: int,
    done: Callable[[str], bool] = lambda _: False,
) -> Iterator[tuple[list[Trajectory], list[Trajectory]]]:
    """Let a verifier pick; yield what it picked and what it said, a chunk at a time.

    Args:
        verifier: Who judges.
        draws: Episodes of the protocol "parallel".
        sampling: How the verifier's answers are drawn.
        num_samples: N, of the draws the first ones.
        votes: How often it is asked about each reply.
        seed: Of its answers.
        max_concurrent_episodes: Episodes judged together.
        done: Whether an id need not be judged again.

    Yields:
        For each group of episodes that is judged together, two lists. The first holds episodes whose one
        turn has the N replies, with the picked one chosen. The second holds one episode per problem with a
        turn per reply, whose attempts are the verifier's answers. There a verdict says whether the verifier
        was right about the reply: that is for measuring it.

    Raises:
        ConfigError: `votes` or `samples` is below 1.
        AgentError: The verifier answers nothing any more.
    """
    if min(votes, num_samples) < 1:
        raise ConfigError(f"votes and samples must be at least 1, got {votes} and {num_samples}")
    todo = (e for e in draws if e.turns and not done(_id(e, verifier, num_samples, votes)))
    asker = FaultIsolator()
    while part := list(islice(todo, max_concurrent_episodes)):
        wanted = [
            (episode, draw, vote)
            for episode in part
            for draw in range(len(episode.turns[0].attempts[:num_samples]))
            for vote in range(votes)
        ]
        conversations = [
            judgement(episode.problem.question, episode.turns[0].attempts[draw].reply)
            for episode, draw, _ in wanted
        ]
        seeds = [derive(seed, _number(episode.id), draw, vote) for episode, draw, vote in wanted]
        replies = asker.ask(verifier, conversations, sampling, seeds)
        answers = iter(zip(conversations, replies, strict=True))
        pairs = [_judged(episode, verifier, answers, num_samples, votes) for episode in part]
        yield [picked for picked, _ in pairs], [said for _, said in pairs]


def record(verifier: Agent, num_samples: int, votes: int) -> Mapping[str, Any]:
    """Return what the run record says of a verifier."""
    return {"verifier": verifier.name, "votes": votes, "best_of": num_samples}


def _judged(
    episode: Trajectory,
    verifier: Agent,
    answers: Iterator[tuple[Conversation, Reply]],
    num_samples: int,
    votes: int,
) -> tuple[Trajectory, Trajectory]:
    turn = episode.turns[0]
    attempts = turn.attempts[:num_samples]
    asked: list[Turn] = []
    scores = []
    for attempt in attempts:
        heard = list(islice(answers, votes))
        scores.append(sum(score(reply.text) or 0.0 for _, reply in heard) / votes)
        judged = tuple(_as_attempt(verifier.name, reply, attempt.check.correct) for _, reply in heard)
        asked.append(Turn(observation=heard[0][0], attempts=judged))
    picked = replace(
        episode,
        id=_id(episode, verifier, num_samples, votes),
        turns=(replace(turn, attempts=attempts, chosen=pick(scores)),),
    )
    return picked, replace(picked, turns=tuple(asked))


def _as_attempt(name: str, reply: Reply, right: bool) -> Attempt:
    value = score(reply.text)
    if value is None:
        check = CheckResult(Verdict.NO_ANSWER, method="verifier")
    else:
        agrees = (value > 0.5) == right
        check = CheckResult(Verdict.CORRECT if agrees else Verdict.WRONG, f"{value:g}", "verifier")
    return Attempt(
        agent=name,
        reply=reply.text,
        check=check,
        reward=float(check.correct),
        finish=reply.finish,
        usage=reply.usage,
    )


def _id(episode: Trajectory, verifier: Agent, num_samples: int, votes: int) -> str:
    plan = {"draws": episode.id, **record(verifier, num_samples, votes)}
    return episode_id(episode.problem, plan, episode.seed)


def _number(identity: str) -> int:
    return int(identity[:15], 16)
