from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import rise_env
from rise_agents.backends.scripted_agent import ScriptedAgent
from rise_agents.cli.collect import run
from rise_agents.rollouts.collect_config import CollectConfig
from rise_agents.rollouts.rollout import plan_record
from rise_agents.rollouts.turn_plan import TurnPlan
from rise_agents.types import SamplingConfig
from rise_env.cli.main import main
from rise_env.envs.math_env import math_env_of
from rise_env.errors import StoreError
from rise_env.trajectories.model_formats import stored_formats
from rise_env.trajectories.serialization import episode_id
from rise_env.trajectories.store import read_run, read_trajectories
from tests.rise_agents.fake_agents import wrong

SAMPLING = SamplingConfig()
COMMAND = ["collect", "RISE-Arithmetic-v0", "--agent", "expert", "--turns", "2", "--limit", "9"]


def test_the_command_writes_a_store_and_its_settings(tmp_path: Path) -> None:
    assert main([*COMMAND, "--out", str(tmp_path), "--env_settings.split", "test"]) == 0
    stored = list(read_trajectories(tmp_path / "trajectories.jsonl"))
    assert [trajectory.problem.id.rpartition("/")[2] for trajectory in stored] == list("012345678")
    assert all(trajectory.problem.split == "test" and trajectory.terminated for trajectory in stored)
    record = read_run(tmp_path / "trajectories.jsonl")
    assert record["env"] == "RISE-Arithmetic-v0"
    assert record["agents"] == [["expert", 1], ["expert", 1]]
    assert record["settings"]["sampling"]["temperature"] == 1.0
    assert "torch" in record["versions"]
    assert "split: test" in (tmp_path / "config.yaml").read_text()


def test_prompt_and_feedback_are_settings_of_the_command(tmp_path: Path) -> None:
    command = [*COMMAND, "--stop_when_correct", "false", "--out", str(tmp_path)]
    command += ["--env_settings.feedback.correct", "Yes, {answer}. Again: {question}"]
    for prompt in ("{question}", "Solve it: {question}", "qwen2.5_math"):
        folder = str(tmp_path / prompt[:5])
        assert main([*command, "--out", folder, "--env_settings.prompt", prompt]) == 0
        record = read_run(Path(folder) / "trajectories.jsonl")
        stored = list(read_trajectories(Path(folder) / "trajectories.jsonl"))
        problem = stored[0].problem
        start, later = stored[0].turns[0].observation, stored[0].turns[1].observation
        assert record["settings"]["env_settings"]["prompt"] == prompt
        name = "qwen2.5_math" if prompt == "qwen2.5_math" else "own"
        assert record["prompt"].startswith(f"{name} sha256:")
        posed = problem.question if name == "qwen2.5_math" else prompt.format(question=problem.question)
        assert start[-1]["content"] == posed
        assert later[-1]["content"] == f"Yes, {problem.reference}. Again: {problem.question}"


def test_the_command_plays_problems_from_all_over_the_split(tmp_path: Path) -> None:
    def played(folder: str, *words: str) -> list[int]:
        out = tmp_path / folder
        assert main([*COMMAND, "--out", str(out), "--env_settings.split", "test", *words]) == 0
        stored = read_trajectories(out / "trajectories.jsonl")
        return [int(trajectory.problem.id.rpartition("/")[2]) for trajectory in stored]

    assert played("a") == list(range(9))
    shuffled = played("b", "--order", "permutation")
    assert len(set(shuffled)) == 9
    assert max(shuffled) > 100
    longer = played("b", "--order", "permutation", "--limit", "12")
    assert longer[:9] == shuffled
    rest = played("c", "--order", "permutation", "--limit", "3", "--start", "9")
    assert longer[9:] == rest
    assert played("d", "--order", "permutation", "--seed", "1") != shuffled
    assert "order" not in read_run(tmp_path / "b" / "trajectories.jsonl")["settings"]


def test_records_of_the_default_prompt_are_those_of_before_there_were_others() -> None:
    env = rise_env.make("RISE-Arithmetic-v0", few_shot=1)
    plan = [TurnPlan(ScriptedAgent(wrong))]
    assert "prompt" not in plan_record(plan, env, SAMPLING)
    assert (
        episode_id(math_env_of(env).problems[0], plan_record(plan, env, SAMPLING), 0)
        == "0f6dfe363f3129677bf2a48d"
    )
    named = plan_record(plan, rise_env.make("RISE-Arithmetic-v0", prompt="plain"), SAMPLING)
    assert named["prompt"].startswith("plain sha256:")


def test_the_command_continues_an_existing_store(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main([*COMMAND, "--out", str(tmp_path)])
    first = (tmp_path / "trajectories.jsonl").read_bytes()
    assert main([*COMMAND, "--limit", "12", "--out", str(tmp_path)]) == 0
    assert (tmp_path / "trajectories.jsonl").read_bytes().startswith(first)
    assert len(list(read_trajectories(tmp_path / "trajectories.jsonl"))) == 12
    assert "12 of 12 episodes" in capsys.readouterr().out


def test_other_settings_in_the_same_folder_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main([*COMMAND, "--out", str(tmp_path)])
    before = [(path.name, path.read_bytes()) for path in sorted(tmp_path.iterdir())]
    assert main([*COMMAND, "--out", str(tmp_path), "--sampling.temperature", "0.5"]) == 2
    error = capsys.readouterr().err
    assert "settings.sampling.temperature is 1.0, not 0.5" in error
    assert [(path.name, path.read_bytes()) for path in sorted(tmp_path.iterdir())] == before


def test_a_config_file_and_options_say_the_same(tmp_path: Path) -> None:
    file = tmp_path / "c.yaml"
    file.write_text(
        "env: RISE-Arithmetic-v0\nagent: expert\nturns: 2\nlimit: 5\nsampling: {temperature: 0.5}\n"
    )
    assert main(["collect", "--config", str(file), "--out", str(tmp_path / "a"), "--limit", "9"]) == 0
    options = ["--sampling.temperature", "0.5", "--out", str(tmp_path / "b")]
    assert main([*COMMAND, *options]) == 0
    stores = [tmp_path / name / "trajectories.jsonl" for name in "ab"]
    assert list(read_trajectories(stores[0])) == list(read_trajectories(stores[1]))
    assert read_run(stores[0]) == read_run(stores[1])


def test_resume_false_refuses_a_folder_with_a_store(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = [*COMMAND, "--out", str(tmp_path)]
    assert main([*options, "--resume", "false"]) == 0
    assert main([*options, "--resume", "false"]) == 2
    assert "holds a store already" in capsys.readouterr().err
    assert main([*options, "--resume"]) == 0


def test_a_dry_run_prints_the_maximal_cost_and_plays_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--out", str(tmp_path / "new"), "--dry_run", "true", "--num_samples", "4"]
    options += ["--sampling.max_new_tokens", "100", "--agent_settings.prices", '{"completion": 1000}']
    assert main([*COMMAND, "--agent", "openai:m@http://x", *options]) == 0
    printed = capsys.readouterr().out
    assert "9 episodes: at most 45 calls" in printed
    assert "4,500 generated tokens, $4.50" in printed
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param(["RISE-Aritmetic-v0"], "did you mean 'RISE-Arithmetic-v0'", id="environment"),
        pytest.param(["RISE-Arithmetic-v0", "--agent", "expertt"], "did you mean 'expert'", id="agent"),
        pytest.param(["RISE-Arithmetic-v0", "--env_settings.splt", "test"], "splt", id="environment setting"),
        pytest.param(["RISE-Arithmetic-v0", "--agent_settings.x", "1"], "no setting 'x'", id="agent setting"),
        pytest.param(["RISE-Arithmetic-v0", "--turns", "0"], "turns must be at least 1", id="turns"),
        pytest.param(["RISE-Arithmetic-v0", "--turns", "two"], "two", id="not a number"),
        pytest.param(["RISE-Arithmetic-v0", "--sampling.top_p", "2"], "top_p must be", id="sampling"),
        pytest.param(["RISE-Arithmetic-v0", "--limt", "2"], "limt", id="option"),
        pytest.param(["RISE-GSM8K-v0", "--env_settings.data_dir", "/no/such"], "/no/such", id="data"),
        pytest.param(["RISE-Arithmetic-v0", "--agent", "transformers:/no/such"], "/no/such", id="model"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    out = tmp_path / "new"
    given = ["--agent", "expert", "--limit", "3", "--out", str(out)]
    assert main(["collect", arguments[0], *given, *arguments[1:]]) == 2
    error = capsys.readouterr().err.strip()
    assert message in error
    assert "\n" not in error
    assert not (out / "trajectories.jsonl").exists()


def test_a_teacher_with_several_samples_can_play_the_last_turn(tmp_path: Path) -> None:
    config = CollectConfig(
        env="RISE-Arithmetic-v0",
        agent="tests.rise_agents.slow_agents:make_agent",
        agent_settings={"seconds": 0.0},
        teacher="expert",
        turns=2,
        num_samples=4,
        limit=5,
        out=str(tmp_path),
    )
    assert run(config, show=False).correct == 5
    for trajectory in read_trajectories(tmp_path / "trajectories.jsonl"):
        assert [turn.action.agent for turn in trajectory.turns] == ["slow", "expert"]
        assert len(trajectory.turns[1].attempts) == 1


def thinking(folder: Path, *, workers: str = "", keep_tokens: bool = True, **agent: Any) -> CollectConfig:
    return CollectConfig(
        env="RISE-Arithmetic-v0",
        agent="tests.rise_agents.thinking_agent:ThinkingAgent",
        agent_settings=agent,
        turns=2,
        limit=3,
        out=str(folder),
        workers=workers,
        keep_tokens=keep_tokens,
    )


@pytest.mark.parametrize("keep", [True, False])
def test_a_store_has_the_tokens_of_its_replies_unless_they_are_not_wanted(tmp_path: Path, keep: bool) -> None:
    run(thinking(tmp_path, keep_tokens=keep), show=False)
    [first, *_] = read_trajectories(tmp_path / "trajectories.jsonl")
    action = first.turns[0].action
    assert action.reasoning
    assert (action.token_ids, action.logprobs) == (((5, 6), (-0.5, -1.0)) if keep else (None, None))


def test_a_store_says_how_the_models_of_its_agents_read_conversations(tmp_path: Path) -> None:
    run(thinking(tmp_path, stops=[2, 3]), show=False)
    record = read_run(tmp_path / "trajectories.jsonl")
    assert stored_formats(record)["thinking"][0].stop_tokens == (2, 3)
    with pytest.raises(StoreError, match=r"formats\.thinking\.stop_tokens is \[2, 3\], not \[2\]"):
        run(thinking(tmp_path), show=False)


def test_a_store_without_formats_is_continued_with_an_agent_that_knows_its_format(tmp_path: Path) -> None:
    run(replace(thinking(tmp_path, knows_format=False), limit=2), show=False)
    assert "formats" not in read_run(tmp_path / "trajectories.jsonl")
    done = run(thinking(tmp_path, stops=[2, 3], keep_tokens=False), show=False)
    assert (done.done, done.played) == (3, 1)
