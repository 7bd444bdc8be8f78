"""Exports trajectories as rows of the formats that other training libraries read.

| format            | one row per      | for                                             |
| ----------------- | ---------------- | ----------------------------------------------- |
| messages          | episode          | Hugging Face `datasets`, supervised fine-tuning |
| prompt_completion | turn             | TRL's conversational prompt-completion          |
| preference        | worse reply      | TRL's conversational preference format, for DPO |
| verl              | problem          | verl's RL parquet                               |
| fastchat          | turn             | the released RISE code's training, with `loss`  |

Messages of `messages`, `prompt_completion` and `preference` have what the model thought as
`reasoning_content`, the name that chat templates read. No format has a place for token ids and
log-probabilities.

Episodes that failed or have no turn are left out. To add a row format, write a function from trajectories to
rows and add one entry to `FORMATS`. To add a file type, write a function of (rows, path) and add one entry to
`WRITERS`. `rise store export` then offers it.
"""

import json
import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rise_env.errors import ConfigError, StoreError
from rise_env.trajectories.serialization import reply_message
from rise_env.types import NO_REPLY, Attempt, Conversation, Trajectory
from rise_env.utils.extras import missing_library

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class _State:
    """An observation, and the replies to it."""

    problem: str
    turn: int
    observation: Conversation
    attempts: dict[str, Attempt]
    """Reply -> the first attempt with it."""


TAU = 0.4
"""The temperature of the weights exp(reward / TAU) in the released RISE code."""


def conversation(trajectory: Trajectory) -> Conversation:
    """Return all messages of an episode, including those that a sliding window hid from the agent."""
    said: Conversation = ()
    for turn in trajectory.turns:
        seen = turn.observation
        if said:
            last = max((i for i, message in enumerate(seen) if message["role"] == "assistant"), default=-1)
            seen = seen[last + 1 :] if last >= 0 else seen[-1:]
        said = (*said, *seen, reply_message(turn.action))
    return said


def messages(trajectories: Iterable[Trajectory]) -> Iterator[Row]:
    """Yield one row per episode, with its `messages` and the verdict, answer and reward of each turn."""
    for trajectory in _without_failed(trajectories):
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
    """Yield one row per turn: the observation as `prompt` and the reply as `completion`."""
    for trajectory in _without_failed(trajectories):
        for number, turn in enumerate(trajectory.turns):
            yield {
                "prompt": [dict(message) for message in turn.observation],
                "completion": [dict(reply_message(turn.action))],
                "reward": turn.action.reward,
                "turn": number,
                "id": trajectory.id,
                "problem_id": trajectory.problem.id,
            }


def preference(trajectories: Iterable[Trajectory]) -> Iterator[Row]:
    """Yield one row per reply that is worse than the best reply to the same observation.

    `prompt` is the observation, `chosen` one of the best replies to it and `rejected` the worse one. Replies
    to the same observation are the samples of one turn, and equal turns of several episodes, for example the
    first turns of episodes with other seeds. If several replies are the best, the rows take turns with them.
    Replies that occur several times count once. The rows come after all trajectories were read.
    """
    states: dict[str, _State] = {}
    for trajectory in _without_failed(trajectories):
        for number, turn in enumerate(trajectory.turns):
            key = json.dumps([trajectory.problem.id, turn.observation])
            state = states.setdefault(key, _State(trajectory.problem.id, number, turn.observation, {}))
            for attempt in turn.attempts:
                if attempt.finish not in NO_REPLY:
                    state.attempts.setdefault(attempt.reply, attempt)
    for state in states.values():
        attempts = state.attempts.values()
        highest = max((attempt.reward for attempt in attempts), default=0.0)
        best = [attempt for attempt in attempts if attempt.reward == highest]
        worse = [attempt for attempt in attempts if attempt.reward < highest]
        for place, attempt in enumerate(worse):
            yield {
                "prompt": [dict(message) for message in state.observation],
                "chosen": [dict(reply_message(best[place % len(best)]))],
                "rejected": [dict(reply_message(attempt))],
                "score_chosen": highest,
                "score_rejected": attempt.reward,
                "turn": state.turn,
                "problem_id": state.problem,
            }


def verl(trajectories: Iterable[Trajectory]) -> Iterator[Row]:
    """Yield one row per problem: the first prompt and the reference answer."""
    seen = set()
    for trajectory in _without_failed(trajectories):
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
    """Yield one row per turn, up to the first correct one.

    `loss` is the weight exp(reward / TAU) of the row's last reply, and 0 for all messages before it. Source:
    `workflow_convert.py --criteria all` of the released RISE code (cmu-mind/RISE).
    """
    names = {"user": "human", "assistant": "gpt", "system": "system"}
    number = 0
    for trajectory in _without_failed(trajectories):
        for turn in trajectory.turns:
            said: list[Row] = [
                {"from": names[message["role"]], "value": message["content"], "loss": 0.0}
                for message in turn.observation
            ]
            weight = math.exp(turn.action.reward / TAU)
            said.append({"from": "gpt", "value": turn.action.reply, "loss": weight})
            yield {"id": f"identity_{number}", "conversations": said}
            number += 1
            if turn.action.check.correct:
                break


FORMATS: dict[str, Callable[[Iterable[Trajectory]], Iterator[Row]]] = {
    "messages": messages,
    "prompt_completion": prompt_completion,
    "preference": preference,
    "verl": verl,
    "fastchat": fastchat,
}
"""Value of `rise store export --format` -> the function that turns trajectories into rows."""


def _write_json_lines(rows: list[Row], path: Path) -> None:
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    path.write_text(text, errors="backslashreplace")


def _write_json(rows: list[Row], path: Path) -> None:
    path.write_text(json.dumps(rows, ensure_ascii=False, indent=1), errors="backslashreplace")


def _write_parquet(rows: list[Row], path: Path) -> None:
    _datasets().Dataset.from_list(rows).to_parquet(str(path))


def _write_folder(rows: list[Row], path: Path) -> None:
    _datasets().Dataset.from_list(rows).save_to_disk(str(path))


WRITERS: dict[str, Callable[[list[Row], Path], None]] = {
    ".jsonl": _write_json_lines,
    ".json": _write_json,
    ".parquet": _write_parquet,
    "": _write_folder,
}
"""Suffix of the path -> the function that writes the rows. A path without a suffix becomes a folder that
`datasets.load_from_disk` reads."""


def write_rows(rows: Iterable[Row], path: Path) -> int:
    """Write rows to a file in the format of its suffix (see `WRITERS`), and return the number of rows.

    Raises:
        StoreError: `path` exists already, or there are no rows.
        ConfigError: The suffix is unknown.
        MissingDependencyError: `datasets` is not installed, and this suffix needs it.
    """
    if path.suffix not in WRITERS:
        known = ", ".join(suffix for suffix in WRITERS if suffix)
        raise ConfigError(
            f"cannot write {path.suffix!r} files: end --out in {known}, or in nothing for a folder"
        )
    if path.exists():
        raise StoreError(f"{path} exists already; choose another name")
    path.parent.mkdir(parents=True, exist_ok=True)
    all_rows = list(rows)
    if not all_rows:
        raise StoreError("there is nothing to export: every episode of the store failed, or it is empty")
    WRITERS[path.suffix](all_rows, path)
    return len(all_rows)


def _without_failed(trajectories: Iterable[Trajectory]) -> Iterator[Trajectory]:
    return (trajectory for trajectory in trajectories if trajectory.error is None and trajectory.turns)


def _datasets() -> Any:
    try:
        import datasets
    except ModuleNotFoundError as error:
        raise missing_library("datasets", "this export format") from error
    return datasets
