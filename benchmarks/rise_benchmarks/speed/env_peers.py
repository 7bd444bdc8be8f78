"""Step loops of other libraries on the same problems, in an interpreter that has them installed.

    PYTHON env_peers.py PROBLEMS.jsonl [--rise-repo CLONE]

Prints one JSON object per library. Measures gem-llm, skyrl-gym and verifiers 0.3, if they are installed. The
released RISE code needs a clone of cmu-mind/RISE and the old gym.
"""

import argparse
import contextlib
import io
import json
import sys
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

RIGHT = "She has 3 + 4 = 7.\nThe final answer is \\boxed{%s}.\n#### %s"
WRONG = "That makes 31415926.\nThe final answer is \\boxed{31415926}."

Row = dict[str, str]


def rate(run: Callable[[], int], seconds: float = 1.0, repeats: int = 5) -> dict[str, float]:
    """Return the best rates per second, by wall clock and by CPU time."""
    run()
    best = {"per_second": 0.0, "per_cpu_second": 0.0}
    for _ in range(repeats):
        count, start, cpu = 0, time.perf_counter(), time.process_time()
        while time.perf_counter() - start < seconds:
            count += run()
        best["per_second"] = max(best["per_second"], count / (time.perf_counter() - start))
        best["per_cpu_second"] = max(best["per_cpu_second"], count / (time.process_time() - cpu))
    return best


def gem(rows: list[Row]) -> dict[str, Any]:
    """Measure GEM: one turn, right answer, checked in the process."""
    from datasets import Dataset

    math_env = import_module("gem.envs.math_env")
    data = [{"problem": row["question"], "answer": row["answer"]} for row in rows]
    env = math_env.MathEnv(dataset=Dataset.from_list(data), use_mp=False)

    def play(count: int = 50) -> int:
        for _ in range(count):
            env.reset()
            env.step(RIGHT % (env.answer, env.answer))
        return count

    return {"system": "GEM", "loop": "MathEnv(use_mp=False), 1 turn, right", **rate(play)}


def skyrl(rows: list[Row]) -> dict[str, Any]:
    """Measure skyrl-gym: its multi-turn GSM8K environment, right in the third turn."""
    skyrl_gym, config = import_module("skyrl_gym"), import_module("omegaconf").DictConfig({})

    def play(count: int = 200) -> int:
        for row in rows[:count]:
            reward_spec = {"method": "rule", "ground_truth": row["answer"]}
            extras = {"reward_spec": reward_spec, "extra_info": {"max_turns": 5}}
            env = skyrl_gym.make("gsm8k_multi_turn", env_config=config, extras=extras)
            env.init([{"role": "user", "content": row["question"]}])
            env.step("That makes 3. #### 3")
            env.step("That makes 4. #### 4")
            env.step(RIGHT % (row["answer"], row["answer"]))
        return 3 * len(rows[:count])

    misread = [
        text for text in ("#### $18", "#### 18.0", "#### 18.") if not _skyrl_right(text, skyrl_gym, config)
    ]
    return {
        "system": "skyrl-gym",
        "loop": "gsm8k_multi_turn, right in turn 3",
        "misreads": misread,
        **rate(play),
    }


def _skyrl_right(reply: str, skyrl_gym: Any, config: Any) -> bool:
    extras = {"reward_spec": {"method": "rule", "ground_truth": "18"}, "extra_info": {"max_turns": 5}}
    env = skyrl_gym.make("gsm8k_multi_turn", env_config=config, extras=extras)
    env.init([{"role": "user", "content": "q"}])
    return float(env.step(reply)["reward"]) == 1.0


def released_rise(repo: Path, rows: list[Row], folder: Path) -> dict[str, Any]:
    """Measure the released RISE environment: one turn, right answer."""
    sys.path.insert(0, str(repo))
    environments = import_module("environments.gsm8k")
    path = folder / "rise_rows.jsonl"
    path.write_text("".join(json.dumps({**row, "answer": row["solution"]}) + "\n" for row in rows))
    env = environments.GSM8KEnv(str(path))

    def play(count: int = 200) -> int:
        for index in range(count):
            env.reset(index)
            env.step(RIGHT % (rows[index]["answer"], rows[index]["answer"]))
        return count

    rejected = 0
    for index, row in enumerate(rows):
        env.reset(index)
        rejected += env.step(RIGHT % (row["answer"], row["answer"]))[0] != 1
    return {
        "system": "released RISE",
        "loop": "GSM8KEnv, 1 turn, right",
        "rejected_golds": rejected,
        **rate(play),
    }


def verifiers(rows: list[Row]) -> dict[str, Any]:
    """Measure verifiers 0.3, whose environment has a single turn, with answers from a scripted client."""
    from datasets import Dataset

    vf, types = import_module("verifiers"), import_module("verifiers.types")

    class Scripted(import_module("verifiers.clients.client").Client):  # type: ignore[misc]
        async def get_response(self, prompt: Any, model: str, *args: Any, **kwargs: Any) -> Any:
            message = types.ResponseMessage(
                content=WRONG, reasoning_content=None, finish_reason="stop", is_truncated=False, tokens=None,
                tool_calls=None,
            )  # fmt: skip
            return types.Response(id="1", created=0, model=model, usage=None, message=message)

        def __init__(self) -> None:
            pass

        def setup_client(self, *args: Any) -> Any: ...
        async def to_native_tool(self, *args: Any) -> Any: ...
        async def to_native_prompt(self, *args: Any) -> Any: ...
        async def get_native_response(self, *args: Any, **kwargs: Any) -> Any: ...
        async def raise_from_native_response(self, *args: Any) -> Any: ...
        async def from_native_response(self, *args: Any) -> Any: ...
        async def close(self) -> None: ...

    data = Dataset.from_list([{"question": row["question"], "answer": row["answer"]} for row in rows[:200]])
    env = vf.SingleTurnEnv(dataset=data, rubric=vf.MathRubric())

    def play() -> int:
        with contextlib.redirect_stderr(io.StringIO()), contextlib.redirect_stdout(io.StringIO()):
            env.generate_sync(env.get_dataset(200), Scripted(), model="m")
        return 200

    return {"system": "verifiers 0.3", "loop": "SingleTurnEnv + MathRubric, 1 turn", **rate(play, repeats=3)}


def main() -> None:
    """Measure what is installed, and print why the rest is not measured."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("problems", type=Path)
    parser.add_argument("--rise-repo", type=Path)
    arguments = parser.parse_args()
    rows = [json.loads(line) for line in arguments.problems.read_text().splitlines()]
    systems: list[tuple[str, Callable[[], dict[str, Any]]]] = [
        ("GEM", lambda: gem(rows)),
        ("skyrl-gym", lambda: skyrl(rows)),
        ("verifiers 0.3", lambda: verifiers(rows)),
    ]
    if arguments.rise_repo:
        folder = arguments.problems.parent
        systems.append(("released RISE", lambda: released_rise(arguments.rise_repo, rows, folder)))
    for name, run in systems:
        try:
            found = run()
        except Exception as error:  # a library that is missing or fails is reported
            found = {"system": name, "error": f"{type(error).__name__}: {error}"}
        print("RATE " + json.dumps(found), flush=True)


if __name__ == "__main__":
    main()
