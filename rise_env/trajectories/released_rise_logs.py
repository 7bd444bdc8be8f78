"""Reads the logs of the released RISE code: what the workflows of cmu-mind/RISE write.

A log is one JSON object that maps task numbers to episodes. An episode has `query`, `answer`, `max_reward`
and `turn_history`, which holds the actions and rewards of each turn; its fields `best_*` are those of the
action with which the episode was continued. Rewards 1, 0 and -1 mean right, wrong and no readable answer.
Fields of a trajectory that the log does not have, such as tokens, get their default.

The two workflows differ:

| | `workflow_gen.py` (training data) | `workflow_eval.py` (evaluation) |
| --- | --- | --- |
| prompt | in `dialogue` | not in the log: observations begin with the question alone |
| after a right reply | the episode ends | it goes on, and the feedback says "incorrect" |
| attempts in observations | all that the model saw | all, but `--context_window` may have hidden some |
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from rise_env.errors import DataNotFoundError, StoreError
from rise_env.problems.reference_answers import after_hashes, boxed
from rise_env.trajectories.serialization import episode_id
from rise_env.types import Attempt, CheckResult, Conversation, Message, Problem, Trajectory, Turn, Verdict

_VERDICTS = {1: Verdict.CORRECT, 0: Verdict.WRONG, -1: Verdict.NO_ANSWER}
SOURCE = "log of the released RISE code"


def read_released_log(path: str | Path, *, agent: str = "unknown") -> Iterator[Trajectory]:
    """Yield the episodes of a log.

    Args:
        path: The JSON file.
        agent: Name of the agent that gave the replies; the trajectories record it.

    Raises:
        DataNotFoundError: The file does not exist.
        StoreError: The file is not such a log. If one episode is malformed, the message has its key.
    """
    path = Path(path)
    if not path.is_file():
        raise DataNotFoundError(f"there is no log {path}")
    try:
        log = json.loads(path.read_text())
        episodes = list(log.items())
    except (ValueError, AttributeError) as error:
        raise StoreError(f"{path} is not a log of the released RISE code: {error}") from error
    for key, episode in episodes:
        try:
            yield _trajectory(episode, path.stem, agent)
        except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
            raise StoreError(f"{path}, episode {key} is not one of the released code: {error!r}") from error


def _trajectory(episode: Mapping[str, Any], name: str, agent: str) -> Trajectory:
    history = episode["turn_history"]
    answer = str(episode["answer"])
    # the released environments log the worked solution of the data set, which states the answer at its end
    reference = after_hashes(answer) or boxed(answer)
    problem = Problem(
        id=f"{name}/{episode['task_id']}",
        question=episode["query"],
        reference=reference or answer,
        solution=None if reference is None else answer,
        source=SOURCE,
    )
    # workflow_eval.py logs no dialogue, and never ends an episode early
    is_evaluation = "dialogue" not in episode
    if is_evaluation:
        said: Conversation = ({"role": "user", "content": problem.question},)
    else:
        said = _initial_prompt(episode["dialogue"], problem.question)
    turns = []
    for number, (action, after) in enumerate(
        zip(history["best_actions"], history["best_observations"], strict=True)
    ):
        actions = history["actions"][str(number)]
        rewards = history["rewards"][str(number)]
        attempts = tuple(
            Attempt(
                agent=agent,
                reply=reply,
                check=CheckResult(_VERDICTS[int(reward)], method="released"),
                reward=float(reward),
            )
            for reply, reward in zip(actions, rewards, strict=True)
        )
        turns.append(Turn(observation=said, attempts=attempts, chosen=actions.index(action)))
        said = (*said, {"role": "assistant", "content": action}, {"role": "user", "content": after})
    solved = bool(turns) and turns[-1].action.check.correct and not is_evaluation
    blocked = len(history["actions"]) > len(turns)
    return Trajectory(
        id=episode_id(problem, SOURCE, 0),
        problem=problem,
        turns=tuple(turns),
        seed=0,
        terminated=solved,
        truncated=not solved and not blocked,
        error=f"turn {len(turns) + 1}: blocked" if blocked else None,
    )


def _initial_prompt(dialogue: list[Mapping[str, str]], question: str) -> Conversation:
    """Return the messages up to and including the first one that has the question in it."""
    for number, message in enumerate(dialogue):
        if message["role"] == "user" and question in message["content"]:
            return tuple(_message(said) for said in dialogue[: number + 1])
    raise ValueError("no message of the dialogue has the query in it")


def _message(said: Mapping[str, str]) -> Message:
    role = said["role"]
    if role == "system":
        return {"role": "system", "content": said["content"]}
    return {"role": "user" if role == "user" else "assistant", "content": said["content"]}
