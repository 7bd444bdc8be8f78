"""Trajectories as rows of the formats that other training libraries read.

| format            | one row per      | for                                             |
| ----------------- | ---------------- | ----------------------------------------------- |
| messages          | episode          | Hugging Face `datasets`, supervised fine-tuning |
| prompt_completion | turn             | TRL's conversational prompt-completion          |
| verl              | problem          | verl's RL parquet                               |
| fastchat          | turn             | the released RISE code's training, with `loss`  |

Episodes that failed are left out.
"""

import json
import math
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from rise_env.errors import ConfigError, MissingDependencyError, StoreError
from rise_env.types import Conversation, Trajectory

Row = dict[str, Any]

TEMPERATURE = 0.4
"""Of the released code's weights, exp(reward / temperature)."""


def conversation(trajectory: Trajectory) -> Conversation:
    """Return everything said in an episode, also what a sliding window hid from the agent."""
    said: Conversation = ()
    for turn in trajectory.turns:
        seen = turn.observation
        if said:
            last = max((i for i, message in enumerate(seen) if message["role"] == "assistant"), default=-1)
            seen = seen[last + 1 :] if last >= 0 else seen[-1:]
        said = (*said, *seen, {"role": "assistant", "content": turn.action.reply})
    return said


def messages(trajectories: Iterable[Trajectory]) -> Iterator[Row]:
    """Yield one row per episode: `messages` and what was found at each turn."""
    for trajectory in _healthy(trajectories):
        problem, turns = trajectory.problem, trajectory.turns
        yield {
            "id": trajectory.id,
            "messages": [dict(message) for message in conversation(trajectory)],
            "problem_id": problem.id,
            "question": problem.question,
            "reference": problem.reference,
            "source": problem.source,
            "split": problem.split,
            "seed": trajectory.seed,
            "agents": [turn.action.agent for turn in turns],
            "rewards": [turn.action.reward for turn in turns],
            "verdicts": [turn.action.check.verdict.value for turn in turns],
            "answers": [turn.action.check.answer for turn in turns],
            "attempts": [len(turn.attempts) for turn in turns],
            "solved": any(turn.action.check.correct for turn in turns),
        }


def prompt_completion(trajectories: Iterable[Trajectory]) -> Iterator[Row]:
    """Yield one row per turn: what the agent saw, and what it said."""
    for trajectory in _healthy(trajectories):
        for number, turn in enumerate(trajectory.turns):
            yield {
                "prompt": [dict(message) for message in turn.observation],
                "completion": [{"role": "assistant", "content": turn.action.reply}],
                "reward": turn.action.reward,
                "turn": number,
                "id": trajectory.id,
                "problem_id": trajectory.problem.id,
            }


def verl(trajectories: Iterable[Trajectory]) -> Iterator[Row]:
    """Yield one row per problem: the first prompt and the reference answer."""
    seen = set()
    for trajectory in _healthy(trajectories):
        problem = trajectory.problem
        if problem.id in seen:
            continue
        seen.add(problem.id)
        yield {
            "data_source": problem.source or problem.id.partition("/")[0],
            "prompt": [dict(message) for message in trajectory.turns[0].observation],
            "ability": "math",
            "reward_model": {"style": "rule", "ground_truth": problem.reference},
            "extra_info": {"split": problem.split, "index": len(seen) - 1, "problem_id": problem.id},
        }


def fastchat(trajectories: Iterable[Trajectory]) -> Iterator[Row]:
    """Yield one row per turn, up to the first correct one, as `workflow_convert.py --criteria all` does.

    `loss` is the weight exp(reward / 0.4) of the last reply, and 0 for everything before it.
    """
    names = {"user": "human", "assistant": "gpt", "system": "system"}
    number = 0
    for trajectory in _healthy(trajectories):
        for turn in trajectory.turns:
            said: list[Row] = [
                {"from": names[message["role"]], "value": message["content"], "loss": 0.0}
                for message in turn.observation
            ]
            weight = math.exp(turn.action.reward / TEMPERATURE)
            said.append({"from": "gpt", "value": turn.action.reply, "loss": weight})
            yield {"id": f"identity_{number}", "conversations": said}
            number += 1
            if turn.action.check.correct:
                break


FORMATS: dict[str, Callable[[Iterable[Trajectory]], Iterator[Row]]] = {
    "messages": messages,
    "prompt_completion": prompt_completion,
    "verl": verl,
    "fastchat": fastchat,
}


def write_rows(rows: Iterable[Row], path: Path) -> int:
    """Write rows in the format that the file's ending says; return how many.

    .jsonl is one row per line, .json one list, .parquet a table; without an ending it is a folder that
    `datasets.load_from_disk` reads.

    Raises:
        StoreError: There is something at `path` already, or there are no rows.
        ConfigError: The ending is unknown.
        MissingDependencyError: `datasets` is not installed, and this ending needs it.
    """
    if path.exists():
        raise StoreError(f"{path} exists already; choose another name")
    path.parent.mkdir(parents=True, exist_ok=True)
    made = list(rows)
    if not made:
        raise StoreError("there are no healthy episodes to export")
    if path.suffix == ".jsonl":
        text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in made)
        path.write_text(text, errors="backslashreplace")
    elif path.suffix == ".json":
        path.write_text(json.dumps(made, ensure_ascii=False, indent=1), errors="backslashreplace")
    elif path.suffix in {".parquet", ""}:
        table = _datasets().Dataset.from_list(made)
        if path.suffix:
            table.to_parquet(str(path))
        else:
            table.save_to_disk(str(path))
    else:
        raise ConfigError(f"cannot write {path.suffix!r}: use .jsonl, .json, .parquet or a folder")
    return len(made)


def _healthy(trajectories: Iterable[Trajectory]) -> Iterator[Trajectory]:
    return (trajectory for trajectory in trajectories if trajectory.error is None and trajectory.turns)


def _datasets() -> Any:
    try:
        import datasets
    except ModuleNotFoundError as error:
        raise MissingDependencyError("datasets is not installed: pip install 'rise-env[hub]'") from error
    return datasets
