r"""Best of N: a verifier selects one of N independent replies without seeing the reference answer.

The verifier is an agent. It is asked whether a reply is correct, and answers \boxed{yes}, \boxed{no}, or a
probability between 0 and 1. The score of a reply is the mean over several such ratings; a rating that cannot
be read counts 0. The reply with the highest score is selected, the first one among equals. Source: the
verifiers of arXiv:2110.14168, which rerank samples in the same way.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import islice
from typing import Any

from rise_agents.evaluation.verifier_questions import mean_rating, read_rating, verifier_prompt
from rise_agents.rollouts.fault_isolation import FaultIsolator
from rise_agents.types import Agent, Reply, SamplingConfig
from rise_env.errors import ConfigError
from rise_env.trajectories.serialization import episode_id
from rise_env.types import Attempt, CheckResult, Conversation, Trajectory, Turn, Verdict
from rise_env.utils.seeding import derive


def best_of_n(
    verifier: Agent,
    episodes: Iterable[Trajectory],
    sampling: SamplingConfig,
    *,
    num_samples: int,
    votes: int,
    seed: int,
    max_concurrent_episodes: int,
    is_done: Callable[[str], bool] = lambda _: False,
) -> Iterator[tuple[list[Trajectory], list[Trajectory]]]:
    """Rate the replies of episodes and select the best one of each. `evaluate_best_of_n` calls this.

    Args:
        verifier: The agent that rates.
        episodes: Episodes of the protocol "parallel".
        sampling: How the ratings are sampled.
        num_samples: N; the first N replies of each episode are rated.
        votes: Number of ratings per reply.
        seed: Seed of the ratings.
        max_concurrent_episodes: Number of episodes that are rated together.
        is_done: Takes the id of an episode with a selected reply, and returns whether it is already stored.
            Such episodes are skipped.

    Yields:
        For each group of episodes that is rated together, two lists. The first holds episodes whose one turn
        has the N replies with their scores, with the selected one chosen. The second holds one episode per
        problem; its turn i holds the ratings of reply i as its attempts. The verdict of a rating says whether
        the verifier was right, so these episodes measure the verifier.

    Raises:
        ConfigError: `votes` or `num_samples` is below 1.
        AgentError: The verifier no longer answers any request.
    """
    if min(votes, num_samples) < 1:
        raise ConfigError(f"votes and num_samples must be at least 1, got {votes} and {num_samples}")
    todo = (e for e in episodes if e.turns and not is_done(_selected_id(e, verifier, num_samples, votes)))
    isolator = FaultIsolator()
    while group := list(islice(todo, max_concurrent_episodes)):
        wanted = [
            (episode, sample, vote)
            for episode in group
            for sample in range(len(episode.turns[0].attempts[:num_samples]))
            for vote in range(votes)
        ]
        conversations = [
            verifier_prompt(episode.problem.question, episode.turns[0].attempts[sample].reply)
            for episode, sample, _ in wanted
        ]
        seeds = [derive(seed, int(episode.id[:15], 16), sample, vote) for episode, sample, vote in wanted]
        replies = isolator.ask(verifier, conversations, sampling, seeds)
        ratings = iter(zip(conversations, replies, strict=True))
        pairs = [_select(episode, verifier, ratings, num_samples, votes) for episode in group]
        yield [selected for selected, _ in pairs], [rated for _, rated in pairs]


def verifier_record(verifier: Agent, num_samples: int, votes: int) -> Mapping[str, Any]:
    """Return the entries of the run record that describe the verifier."""
    return {"verifier": verifier.name, "votes": votes, "best_of": num_samples}


def _select(
    episode: Trajectory,
    verifier: Agent,
    ratings: Iterator[tuple[Conversation, Reply]],
    num_samples: int,
    votes: int,
) -> tuple[Trajectory, Trajectory]:
    """Take the next ratings; return the episode with the selected reply, and the ratings as an episode."""
    turn = episode.turns[0]
    attempts = turn.attempts[:num_samples]
    rating_turns: list[Turn] = []
    scores = []
    for attempt in attempts:
        of_attempt = list(islice(ratings, votes))
        scores.append(mean_rating([reply.text for _, reply in of_attempt]))
        as_attempts = tuple(
            _as_attempt(verifier.name, reply, attempt.check.correct) for _, reply in of_attempt
        )
        rating_turns.append(Turn(observation=of_attempt[0][0], attempts=as_attempts))
    best = max(range(len(scores)), key=lambda i: scores[i])  # max returns the first of equals
    rated = tuple(replace(one, score=score) for one, score in zip(attempts, scores, strict=True))
    selected = replace(
        episode,
        id=_selected_id(episode, verifier, num_samples, votes),
        turns=(replace(turn, attempts=rated, chosen=best),),
    )
    return selected, replace(selected, turns=tuple(rating_turns))


def _as_attempt(verifier: str, reply: Reply, correct: bool) -> Attempt:
    """Return a rating as an attempt, which is correct if it agrees with the check of the rated reply."""
    rating = read_rating(reply.text)
    if rating is None:
        check = CheckResult(Verdict.NO_ANSWER, method="verifier")
    else:
        agrees = (rating > 0.5) == correct
        check = CheckResult(Verdict.CORRECT if agrees else Verdict.WRONG, f"{rating:g}", "verifier")
    return Attempt(
        agent=verifier,
        reply=reply.text,
        check=check,
        reward=float(check.correct),
        finish=reply.finish,
        usage=reply.usage,
        reasoning=reply.reasoning,
    )


def _selected_id(episode: Trajectory, verifier: Agent, num_samples: int, votes: int) -> str:
    plan = {"draws": episode.id, **verifier_record(verifier, num_samples, votes)}
    return episode_id(episode.problem, plan, episode.seed)
