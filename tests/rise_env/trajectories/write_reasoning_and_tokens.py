"""Writes the fixture `reasoning_and_tokens`, a store with all fields of its form."""

import sys
from pathlib import Path

from rise_env.trajectories.model_formats import FORMATS, format_to_json
from rise_env.trajectories.store import TrajectoryStore
from rise_env.types import (
    Attempt,
    CheckResult,
    Conversation,
    ModelFormat,
    Problem,
    Trajectory,
    Turn,
    Usage,
    Verdict,
)

FOLDER = Path(__file__).parents[2] / "fixtures" / "reasoning_and_tokens"

FORMAT = ModelFormat(
    model="thinker@5f0c",
    revision="main",
    adapter="lora+11aa",
    tokenizer="22bb",
    chat_template="33cc",
    template_text="{{ messages }}",
    template_options={"enable_thinking": True},
    stop_tokens=(151645, 151643),
    thinking="show",
    date="2024-07-26",
)


def trajectory() -> Trajectory:
    """Return an episode of two turns: two attempts without tokens, then one that is right."""
    first = Attempt(
        agent="server",
        reply="\\boxed{5}",
        check=CheckResult(Verdict.WRONG, "5", "number", 0.25),
        reward=0.0,
        finish="length",
    )
    second = Attempt(
        agent="thinker",
        reply="Is it \\boxed{3}?",
        check=CheckResult(Verdict.WRONG, "3", "number"),
        reward=0.5,
        usage=Usage(prompt_tokens=9, completion_tokens=4, cached_tokens=2),
        reasoning="Two and two,\nor two and one.",
        token_ids=(1, 2, 65535),
        logprobs=(-0.5, -1.25, 0.0),
    )
    right = Attempt(
        agent="thinker",
        reply="\\boxed{4}",
        check=CheckResult(Verdict.CORRECT, "4", "number"),
        reward=1.0,
        token_ids=(151645, 7),
        logprobs=(-0.0625, float("-inf")),
    )
    question: Conversation = ({"role": "user", "content": "2 + 2?"},)
    later: Conversation = (
        *question,
        {"role": "assistant", "content": second.reply, "reasoning_content": second.reasoning},
        {"role": "user", "content": "Again."},
    )
    problem = Problem(
        id="sums/1",
        question="2 + 2?",
        reference="4",
        solution="2 + 2 = 4",
        source="sums",
        split="test",
        meta={"level": 1},
    )
    return Trajectory(
        id="0" * 24,
        problem=problem,
        turns=(
            Turn(observation=question, attempts=(first, second), chosen=1),
            Turn(observation=later, attempts=(right,)),
        ),
        seed=3,
        terminated=True,
    )


def main(folder: Path) -> None:
    """Write the store into a folder that has none."""
    record = {"seed": 3, FORMATS: {"thinker": format_to_json(FORMAT)}}
    with TrajectoryStore(folder / "trajectories.jsonl", record) as store:
        store.append([trajectory()])


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)
