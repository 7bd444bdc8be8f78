"""Plays episodes as scripts that the engine of `rise_agents.deliberation` runs many at a time."""

from collections.abc import Callable, Iterator, Sequence

from rise_agents.deliberation.engine import run_scripts
from rise_agents.deliberation.judge import JudgeChecker
from rise_agents.deliberation.script import Ask, Script
from rise_agents.rollouts.degenerate import DrawComparison, is_degenerate
from rise_agents.rollouts.episode_runner import EpisodeRunner
from rise_agents.rollouts.turn_plan import TurnPlan
from rise_agents.types import Reply, SamplingConfig
from rise_env.checkers.base import CheckItem
from rise_env.envs.math_env import math_env_of
from rise_env.errors import AgentError
from rise_env.types import NO_REPLY
from rise_env.utils.seeding import derive

MAX_REDRAWS = 8
"""Maximal number of further samples in a turn whose replies are degenerate. The last one is then kept."""


def run_episodes(
    episodes: Iterator[EpisodeRunner],
    plan: Sequence[TurnPlan],
    sampling: SamplingConfig,
    seed: int,
    *,
    max_concurrent_episodes: int,
    drop_degenerate: bool,
    on_end: Callable[[EpisodeRunner], None],
) -> None:
    """Play episodes to their ends. `rollout` and `collect` call this.

    Args:
        episodes: The episodes; the next one is taken when one more may be played.
        plan: One entry per turn.
        sampling: How replies are sampled at the turns whose plan has no sampling of its own.
        seed: Seed of the rollout; see `rollout`.
        max_concurrent_episodes: Maximal number of episodes that are played at a time.
        drop_degenerate: See `rollout`.
        on_end: Called with each finished episode, before a further one starts.

    Raises:
        DeadAgentError: An agent no longer answers any request.
    """
    draws = DrawComparison()
    scripts = (_script(episode, plan, sampling, seed, drop_degenerate, draws) for episode in episodes)
    run_scripts(lambda: next(scripts, None), on_end, limit=max_concurrent_episodes)


def _script(
    episode: EpisodeRunner,
    plan: Sequence[TurnPlan],
    sampling: SamplingConfig,
    seed: int,
    drop_degenerate: bool,
    draws: DrawComparison,
) -> Script[EpisodeRunner]:
    """Yield the requests of one episode, record the replies, and return the episode."""
    for turn, turn_plan in enumerate(plan):
        last = turn_plan.num_samples + (MAX_REDRAWS if drop_degenerate else 0) - 1
        for draw in range(last + 1):
            if not episode.active:
                return episode
            ask = Ask(
                turn_plan.agent,
                episode.conversation,
                derive(seed, episode.index, turn, draw),
                turn_plan.sampling or sampling,
                episode.problem,
            )
            [reply] = yield [ask]
            dropped = drop_degenerate and reply.finish != "error" and is_degenerate(reply.text)
            if not dropped or (draw == last and not episode.attempts):
                yield from _judge(episode, reply)
                _record(episode, turn_plan, reply)
            if not _needs_more_samples(episode, turn_plan, draw + 1):
                break
        draws.add(turn_plan.agent.name, turn_plan.sampling or sampling, episode.attempts)
        outgrown = episode.outgrown
        writer = None if outgrown or turn == len(plan) - 1 else turn_plan.feedback
        if writer is not None and episode.continues():
            conversation = episode.conversation_with_reply()
            feedback_seed = derive(seed, episode.index, turn, 0, 1)
            [text] = yield [writer.ask(conversation, episode.problem, turn, feedback_seed, sampling)]
            episode.add_feedback(writer, text)
        episode.step()
        if turn_plan.verifies:
            episode.grade_verification()
        if outgrown:
            episode.truncate()
    return episode


def _judge(episode: EpisodeRunner, reply: Reply) -> Script[None]:
    """If the checker of the episode asks an agent, ask it about a reply, so that its result is remembered."""
    checker = math_env_of(episode.env).checker
    if not isinstance(checker, JudgeChecker) or reply.finish in NO_REPLY:
        return
    for text in (reply.text, *(other.text for other in reply.considered)):
        item = CheckItem(text, episode.problem.reference, episode.problem.question)
        if checker.knows(item):
            continue
        replies = yield checker.asks(item)
        try:
            checker.remember(item, checker.result(replies))
        except AgentError as error:
            episode.fail(str(error))
            return


def _record(episode: EpisodeRunner, turn_plan: TurnPlan, reply: Reply) -> None:
    if not episode.active:
        return
    if reply.finish == "error":
        episode.fail(f"{turn_plan.agent.name}: {reply.text}")
    else:
        check_now = turn_plan.num_samples > 1 or turn_plan.feedback is not None
        episode.add_reply(turn_plan.agent.name, reply, check=check_now)


def _needs_more_samples(episode: EpisodeRunner, turn_plan: TurnPlan, drawn: int) -> bool:
    if not episode.active:
        return False
    if drawn >= turn_plan.num_samples:
        return not episode.attempts  # all were degenerate
    return not (turn_plan.until_correct and episode.solved)
