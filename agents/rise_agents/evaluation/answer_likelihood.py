r"""The likelihood of the correct answer before each turn: log p(\boxed{answer} | conversation).

    python -m rise_agents.evaluation.answer_likelihood MODEL LOGS/<label>

reads LOGS/<label>/seed-*/sequential.jsonl and writes nll.json next to each. MODEL is a folder or hub id,
which transformers loads, or an agent that scores texts, such as vllm:FOLDER. `rise report` then draws the
figure `measure_nll`, after figure 4 (left) of arXiv:2407.18219. Values are natural logarithms, summed over
the tokens of the answer; in spite of the name nll.json they are not negated. The answer is scored as the
start of the next reply, without any reasoning before it.
"""

import argparse
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from rise_agents.chat.chat import Chat, tokenizer_hash
from rise_agents.chat.chat_settings import ChatSettings
from rise_agents.chat.loading import load_chat
from rise_agents.generation.scoring import ending_logprobs
from rise_agents.registry import agent_names, load_agent
from rise_agents.types import ScoringAgent
from rise_env.errors import ConfigError, DataNotFoundError
from rise_env.trajectories.model_formats import stored_formats
from rise_env.trajectories.store import read_run, read_trajectories
from rise_env.types import Trajectory

Score = Callable[[Path, Sequence[Trajectory], int], list[list[float | None]]]
"""(log, its episodes, number of turns) -> log-likelihoods, [episodes, turns]."""

FILE = "nll.json"
"""Name of the output file."""

ANSWER = "\\boxed{%s}"
"""The text whose likelihood is measured; %s stands for the answer."""


def answer_logps(
    model: Any, chat: Chat, episodes: Sequence[Trajectory], turns: int, *, max_batch_tokens: int = 16384
) -> list[list[float | None]]:
    """Compute the log-likelihood of the correct answer before each turn.

    Args:
        model: A transformers causal language model in eval mode.
        chat: How the model reads conversations.
        episodes: Episodes of the protocol "sequential".
        turns: Number of turns to score.
        max_batch_tokens: Maximal size of a batch, its number of rows times its longest sequence, in tokens.
            A batch of one row may exceed it.

    Returns:
        Natural logarithms, [episodes, turns]; None for turns that an episode did not reach.
    """
    found: list[list[float | None]] = [[None] * turns for _ in episodes]
    places = _places(episodes, turns)
    prompts = chat.encode([episodes[e].turns[t].observation for e, t in places])
    answers = [chat.token_ids(ANSWER % episodes[e].problem.reference) for e, _ in places]
    logps = ending_logprobs(model, prompts, answers, max_batch_tokens=max_batch_tokens)
    for (episode, turn), value in zip(places, logps, strict=True):
        found[episode][turn] = value
    return found


def agent_answer_logps(
    agent: ScoringAgent, episodes: Sequence[Trajectory], turns: int
) -> list[list[float | None]]:
    """Compute the log-likelihood of the correct answer before each turn with any agent that scores texts.

    Args:
        agent: The agent.
        episodes: See `answer_logps`, also for `turns` and the result.
        turns: Number of turns to score.
    """
    found: list[list[float | None]] = [[None] * turns for _ in episodes]
    places = _places(episodes, turns)
    logps = agent.logprobs_of(
        [episodes[e].turns[t].observation for e, t in places],
        [[ANSWER % episodes[e].problem.reference] for e, _ in places],
    )
    for (episode, turn), [value] in zip(places, logps, strict=True):
        found[episode][turn] = value
    return found


def _places(episodes: Sequence[Trajectory], turns: int) -> list[tuple[int, int]]:
    """Return (episode, turn) of every turn to score."""
    return [(e, t) for e, episode in enumerate(episodes) for t in range(min(turns, len(episode.turns)))]


def score_logs(model_path: str, label: Path, seed: int | None = None) -> list[Path]:
    """Write nll.json next to each sequential log that has none.

    Args:
        model_path: Folder or hub id of the evaluated model, or an agent such as vllm:FOLDER.
        label: Folder with the logs of that model, one subfolder per seed.
        seed: Score only the log of this seed, for example because each seed has its own model. None scores
            the logs of all seeds.

    Returns:
        The written files.

    Raises:
        DataNotFoundError: There are no such logs, or no such model.
        ConfigError: The agent does not score texts.
    """
    logs = sorted(label.glob(f"seed-{'*' if seed is None else seed}/sequential.jsonl"))
    if not logs:
        raise DataNotFoundError(f"no seed-*/sequential.jsonl in {label}: run `rise evaluate` first")
    score, close = _scorer(model_path)
    written = []
    for log in logs:
        path = log.with_name(FILE)
        if path.exists():
            continue
        episodes = list(read_trajectories(log))
        logps = score(log, episodes, read_run(log)["turns"])
        by_problem = {e.problem.id: row for e, row in zip(episodes, logps, strict=True)}
        new = path.with_suffix(".new")
        new.write_text(json.dumps({"logp": by_problem}))
        new.replace(path)
        written.append(path)
    close()
    return written


def _scorer(model: str) -> tuple[Score, Callable[[], None]]:
    """Return the function that scores the episodes of a log, and the function that frees the model."""
    if model.partition(":")[0] in agent_names():
        agent = load_agent(model)
        if not isinstance(agent, ScoringAgent):
            agent.close()
            raise ConfigError(f"{model} cannot say how likely an answer is: use transformers or vllm")
        return lambda log, episodes, turns: agent_answer_logps(agent, episodes, turns), agent.close
    from transformers import AutoModelForCausalLM

    loaded = AutoModelForCausalLM.from_pretrained(model).eval()

    def score(log: Path, episodes: Sequence[Trajectory], turns: int) -> list[list[float | None]]:
        return answer_logps(loaded, _chat(model, log), episodes, turns)

    return score, lambda: None


def _chat(model: str, log: Path) -> Chat:
    """Return how the model reads conversations: as when the log was played, where the log says that."""
    chat = load_chat(model)
    mine = tokenizer_hash(chat.tokenizer)
    formats = [one for played in stored_formats(read_run(log)).values() for one in played]
    played = next((one for one in formats if one.tokenizer == mine), None)
    return chat if played is None else load_chat(model, ChatSettings.of(played))


def main() -> None:
    """Run the command of the module's docstring."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("label", type=Path)
    arguments = parser.parse_args()
    for path in score_logs(arguments.model, arguments.label):
        print(path)


if __name__ == "__main__":
    main()
