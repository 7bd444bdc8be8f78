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
rows and add one entry to `FORMATS`. `rise store export` then offers it.
"""

import json
import math
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from rise_env.trajectories.export.preference_pairs import pairs
from rise_env.trajectories.serialization import reply_message
from rise_env.types import Conversation, Trajectory

Row = dict[str, Any]

TAU = 0.4
"""The temperature of the weights exp(reward / TAU) in the released RISE code."""


GSM8K = "openai/gsm8k"
"""verl's name of GSM8K."""
VERL_NAMES = {
    "gsm8k": GSM8K,
    "math": "DigitalLearningGmbH/MATH-lighteval",
    "math500": "DigitalLearningGmbH/MATH-lighteval",
    "aime24": "aime24",
    "aime25": "aime25",
    "aime26": "aime26",
    "dapo_math": "math_dapo",
}
"""Set, as in the ids of its problems -> the name by which verl finds its reward function.

Source: `default_compute_score` in `verl/utils/reward_score/__init__.py` of volcengine/verl.
"""


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
    """Yield one row per episode, with its `messages` and the verdict, answer and reward of each turn.

    `inside` has, for each turn, the messages inside the turn as JSON, such as calls of tools; empty if there
    are none.
    """
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
            "inside": [json.dumps(turn.action.messages) if turn.action.messages else "" for turn in turns],
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
    return pairs(_without_failed(trajectories))


def verl(trajectories: Iterable[Trajectory]) -> Iterator[Row]:
    """Yield one row per problem: the first prompt and the reference answer.

    `data_source` is the name by which verl's `default_compute_score` finds its reward function. If verl has
    none for the set, it is the name of the set; then set verl's `custom_reward_function.path`.
    """
    seen = set()
    for trajectory in _without_failed(trajectories):
        problem = trajectory.problem
        if problem.id in seen:
            continue
        seen.add(problem.id)
        name = problem.id.partition("/")[0]
        source = VERL_NAMES.get(name, name)
        answer = problem.reference
        if source == GSM8K:  # verl compares texts, and has removed the commas from that of the reply
            answer = answer.replace(",", "")
        yield {
            "data_source": source,
            "prompt": [dict(message) for message in trajectory.turns[0].observation],
            "ability": "math",
            "reward_model": {"style": "rule", "ground_truth": answer},
            "extra_info": {
                "split": problem.split,
                "index": len(seen) - 1,
                "problem_id": problem.id,
                "source": problem.source,
            },
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


def _without_failed(trajectories: Iterable[Trajectory]) -> Iterator[Trajectory]:
    return (trajectory for trajectory in trajectories if trajectory.error is None and trajectory.turns)
