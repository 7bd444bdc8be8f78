import os
from collections.abc import Callable
from pathlib import Path

import pytest

from rise_agents.backends.scripted_agent import ScriptedAgent
from rise_agents.rollouts.collect_config import (
    STORE,
    CollectConfig,
    environment_maker,
    make_plan,
    run_record,
)
from rise_agents.types import SamplingConfig
from rise_env.cli.main import main
from rise_env.errors import ConfigError
from rise_env.trajectories.store import read_run, read_trajectories
from rise_env.types import Conversation

PRICED = ["--agent", "openai:m@http://x"]
COMMAND = ["collect", "RISE-Arithmetic-v0", "--agent", "expert", "--limit", "10", "--turns", "3"]
SILENT = "tests.rise_agents.cli.test_collect:make_silent"
SLOW = "tests.rise_agents.slow_agents:make_agent"
DRY = ["--dry-run", "--out", "never/made", "--sampling.max_new_tokens", "1000"]

Run = Callable[..., str]


def make_silent() -> ScriptedAgent:
    """An agent that never states an answer."""
    return ScriptedAgent(lambda conversation: "I do not know.", name="silent")


@pytest.fixture
def refused(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command that must fail with one line, and return the line."""

    def run(*argv: str) -> str:
        assert main(argv) == 2
        stderr = capsys.readouterr().err
        assert stderr.count("\n") == 1
        return stderr

    return run


def dry(capsys: pytest.CaptureFixture[str], **prices: str) -> str:
    options = [word for name, value in prices.items() for word in (f"--{name}_settings.prices", value)]
    teacher = ["--teacher", "openai:t@http://x"] if "teacher" in prices else []
    assert main([*COMMAND, *PRICED, *DRY, *teacher, *options]) == 0
    return capsys.readouterr().out.strip()


def test_a_dry_run_prices_the_turns_of_student_and_teacher_separately(
    capsys: pytest.CaptureFixture[str],
) -> None:
    student, teacher = '{"completion": 1000}', '{"completion": 1}'
    assert dry(capsys, agent=student).endswith("generated tokens, $30.00")
    assert dry(capsys, agent=student, teacher=teacher).endswith("generated tokens, $20.01")
    assert dry(capsys, agent=student, teacher="null").endswith(
        "$20.00 for 20 calls; the other 10 have no price"
    )
    assert dry(capsys, teacher=teacher).endswith("$0.01 for 10 calls; the other 20 have no price")


def test_a_teacher_with_the_agents_name_and_no_settings_has_the_agents_prices(
    capsys: pytest.CaptureFixture[str],
) -> None:
    teacher = ["--teacher", "openai:m@http://x", "--agent_settings.prices", '{"completion": 1}']
    assert main([*COMMAND, *PRICED, *DRY, *teacher]) == 0
    assert capsys.readouterr().out.strip().endswith("generated tokens, $0.03")


@pytest.mark.parametrize("command", ["collect", "evaluate"])
@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--agent", "expertt"], "did you mean 'expert'"),
        (["--agent", "openai"], "write 'openai:TARGET' (MODEL@URL"),
        ([*PRICED, "--agent_settings.prices", '{"promt": 1}'], "got 'promt'"),
        ([*PRICED, "--agent_settings.prices", "5"], "prices is 5: expected mapping"),
    ],
)
def test_a_dry_run_refuses_unknown_agents_and_malformed_prices(
    refused: Run, command: str, options: list[str], message: str
) -> None:
    agent = [] if "--agent" in options else ["--agent", "expert"]
    assert message in refused(command, "RISE-Arithmetic-v0", "--limit", "10", *DRY, *agent, *options)


def test_a_dry_run_refuses_an_unknown_teacher(refused: Run) -> None:
    assert "did you mean 'tiny'" in refused(*COMMAND, *DRY, "--teacher", "tinny")
    teacher = ["--teacher", "openai:t@http://x", "--teacher_settings.prices", "5"]
    assert "prices is 5" in refused(*COMMAND, *DRY, *teacher)


def test_a_dry_run_refuses_an_unknown_verifier(refused: Run) -> None:
    command = ["evaluate", "RISE-Arithmetic-v0", "--agent", "expert", *DRY]
    assert "did you mean 'tiny'" in refused(*command, "--verifier", "tinny")
    verifier = ["--verifier", "openai:v@http://x", "--verifier_settings.prices", "5"]
    assert "prices is 5" in refused(*command, *verifier)


def collection(**settings: object) -> CollectConfig:
    return CollectConfig(env="RISE-Arithmetic-v0", agent=SLOW, out="o", turns=2, **settings)  # type: ignore[arg-type]


def test_teacher_settings_require_a_teacher() -> None:
    with pytest.raises(ConfigError, match="teacher_settings need a teacher"):
        collection(teacher_settings={"seconds": 0.1})


def test_a_teacher_is_a_second_agent_if_its_name_or_its_settings_differ() -> None:
    first, last = (step.agent for step in make_plan(collection(teacher=SLOW)))
    assert first is last
    first, last = (
        step.agent for step in make_plan(collection(teacher=SLOW, teacher_settings={"seconds": 0.1}))
    )
    assert first is not last


def test_a_folder_that_cannot_be_made_is_reported_in_one_line(
    refused: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "file"
    file.write_text("mine")
    assert f"{file} is no folder: name another one" in refused(*COMMAND, "--out", str(file))
    assert "cannot make the store /proc/no/trajectories.jsonl" in refused(*COMMAND, "--out", "/proc/no")
    assert main(["evaluate", *COMMAND[1:], "--told", "true", "--num_samples", "1", "--out", str(file)]) == 2
    assert f"{file} is no folder: name another one" in capsys.readouterr().err.splitlines()[-1]
    assert file.read_text() == "mine"


def test_an_agent_that_cannot_be_made_is_reported_in_one_line(refused: Run, tmp_path: Path) -> None:
    options = ["--out", str(tmp_path / "o"), "--agent_settings.max_concurrent_requests", "many"]
    assert "max_concurrent_requests is 'many': expected int" in refused(
        *COMMAND, "--agent", "openai:m@http://x", *options
    )
    assert "module:factory" in refused(*COMMAND, "--out", str(tmp_path / "o"), "--agent", "./flaky.py:A")
    assert not (tmp_path / "o").exists()


def test_turn_entries_name_the_agent_the_samples_and_the_sampling_of_every_turn(tmp_path: Path) -> None:
    cold = "{agent: expert, num_samples: 2, sampling: {temperature: 0.7, max-new-tokens: 512}}"
    entries = ["--turn", SILENT, "--turn", f"{SILENT}*4", "--turn", cold]
    assert main(["collect", "RISE-Arithmetic-v0", *entries, "--limit", "2", "--out", str(tmp_path)]) == 0
    played = [
        [(turn.action.agent, len(turn.attempts)) for turn in episode.turns]
        for episode in read_trajectories(tmp_path / STORE)
    ]
    assert played == [[("silent", 1), ("silent", 4), ("expert", 1)]] * 2
    record = read_run(tmp_path / STORE)
    assert record["agents"] == [["silent", 1], ["silent", 4], ["expert", 2]]
    own = {"temperature": 0.7, "top_p": 1.0, "max_new_tokens": 512}
    assert record["turn_sampling"] == [None, None, own]
    assert record["settings"]["turns"] == 3


def test_turns_with_the_same_agent_and_settings_share_it() -> None:
    own = {"agent": SLOW, "settings": {"seconds": 0.1}}
    config = CollectConfig(env="RISE-Arithmetic-v0", out="o", turn=(SLOW, f"{SLOW}*2", own, own))
    first, second, third, fourth = (step.agent for step in make_plan(config))
    assert first is second is not third is fourth


def test_the_last_turn_may_be_sampled_in_its_own_way(tmp_path: Path) -> None:
    command = [*COMMAND, "--teacher", SILENT, "--limit", "1", "--out", str(tmp_path)]
    assert main([*command, "--last_turn_sampling.temperature", "0.7", "--agent", SILENT]) == 0
    own = {"temperature": 0.7, "top_p": 1.0, "max_new_tokens": 1000}
    assert read_run(tmp_path / STORE)["turn_sampling"] == [None, None, own]


def test_a_sampling_of_the_last_turn_that_is_that_of_the_others_changes_no_record() -> None:
    def record(**settings: object) -> object:
        config = collection(**settings)
        plan = make_plan(config)
        return run_record(config, plan, environment_maker(config)())

    assert record(last_turn_sampling=SamplingConfig()) == record()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "agent is missing"),
        (["--turn", "tiny", "--agent", "tiny"], "agent is 'tiny': give either turn or agent"),
        (["--turn", "tiny", "--turns", "3"], "turns is 3: give either turn or turns"),
        (["--turn", "tiny", "--agent_settings.dtype", "float32"], "agent_settings has no effect"),
        (["--turn", "tiny*0"], "num_samples of a turn must be at least 1, got 0"),
        (["--turn", "{agnt: tiny}"], "no setting 'turn[0].agnt'; did you mean 'agent'"),
        (["--turn", "tinny"], "did you mean 'tiny'"),
    ],
)
def test_turn_entries_that_make_no_sense_say_why(refused: Run, options: list[str], message: str) -> None:
    assert message in refused("collect", "RISE-Arithmetic-v0", "--limit", "1", *DRY, *options)


def test_a_dry_run_counts_the_lengths_and_prices_of_every_turn(capsys: pytest.CaptureFixture[str]) -> None:
    paid = (
        "{agent: 'openai:t@http://x', num_samples: 4, sampling: {max_new_tokens: 500}, "
        "settings: {prices: {completion: 1000}}}"
    )
    limit = ["--limit", "10"]
    assert main(["collect", "RISE-Arithmetic-v0", "--turn", "expert", "--turn", paid, *limit, *DRY]) == 0
    shown = capsys.readouterr().out
    assert "at most 50 calls" in shown
    assert "30,000 generated tokens" in shown
    assert shown.strip().endswith("$20.00 for 40 calls; the other 10 have no price")


@pytest.mark.parametrize(("rewards", "unreadable"), [("paper", 0.0), ("gsm8k", -1.0)])
def test_the_rewards_of_a_collection_are_those_of_its_settings(
    tmp_path: Path, rewards: str, unreadable: float
) -> None:
    silent = ["--agent", SILENT, "--limit", "1", "--turns", "1"]
    scheme = ["--env_settings.rewards", rewards, "--out", str(tmp_path)]
    assert main(["collect", "RISE-Arithmetic-v0", *silent, *scheme]) == 0
    [episode] = read_trajectories(tmp_path / STORE)
    assert episode.turns[0].action.reward == unreadable


def test_the_help_of_a_collection_names_the_rewards_of_the_paper(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["collect", "--help"])
    assert "rewards (gsm8k, paper" in " ".join(capsys.readouterr().out.split())


def make_sometimes_failing() -> ScriptedAgent:
    """An agent that raises for problems whose question has an even length, until FIXED is set."""

    def answer(conversation: Conversation) -> str:
        if "FIXED" not in os.environ and len(conversation[0]["content"]) % 2 == 0:
            raise RuntimeError("HTTP 400")
        return "\\boxed{1}"

    return ScriptedAgent(answer, name="sometimes")


FAILING = (
    "collect", "RISE-Arithmetic-v0", "--agent", f"{__name__}:make_sometimes_failing", "--turns", "2",
    "--limit", "12",
)  # fmt: skip


def test_failed_episodes_are_counted_by_reason_and_played_again_on_request(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    command = (*FAILING, "--out", str(tmp_path), "--failures.max-failed", "0.9")
    assert main(command) == 0
    said = capsys.readouterr()
    failed = sum(t.error is not None for t in read_trajectories(tmp_path / STORE))
    assert 0 < failed < 12
    assert f"{failed} of 12 " in said.out
    assert f"{failed} x sometimes: RuntimeError: HTTP 400" in said.out
    assert said.out.startswith("warning: ")
    assert "the same command with --retry-failed plays the failed episodes again" in said.out
    assert "playing 12 problems of the split train of RISE-Arithmetic-v0" in said.err
    monkeypatch.setenv("FIXED", "1")
    assert main(command) == 0
    assert f"{failed} of 12 " in capsys.readouterr().out  # without the option, they stay
    assert main((*command, "--retry-failed")) == 0
    assert "episodes failed" not in capsys.readouterr().out
    assert [t.error for t in read_trajectories(tmp_path / STORE)] == [None] * 12
    assert (tmp_path / f"{STORE}.failed").read_bytes().count(b"\n") == failed


def test_a_collection_whose_episodes_mostly_fail_ends_with_1_and_says_why_last(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main((*FAILING, "--out", str(tmp_path), "--failures.max-failed", "0.01")) == 1
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith("rise collect: ")
    assert last.endswith("(failures.max_failed is 0.01): sometimes: RuntimeError: HTTP 400")


def test_an_evaluation_ends_with_the_table_and_names_split_protocol_and_metric(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ("evaluate", "RISE-Arithmetic-v0", "--agent", f"{__name__}:make_silent", "--limit", "4",
               "--turns", "2", "--num-samples", "2", "--out", str(tmp_path))  # fmt: skip
    assert main(command) == 0
    said = capsys.readouterr()
    assert "playing 4 problems of the split test of RISE-Arithmetic-v0" in said.err
    assert "silent, seed 0, parallel: 100 % done, 4/4" in said.err
    assert "pass@2 0.0%" in said.err
    assert "m1@t1" in said.out
    assert "silent: warning: 100.0 % of the replies are without an answer" in said.out
    assert not (tmp_path / "report.json").exists()
    assert main((*command, "--report", "false")) == 0
    assert "m1@t1" not in capsys.readouterr().out


def test_failed_episodes_of_an_evaluation_are_played_again_on_request(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    command = ("evaluate", "RISE-Arithmetic-v0", "--agent", f"{__name__}:make_sometimes_failing", "--limit",
               "12", "--turns", "2", "--num-samples", "2", "--out", str(tmp_path))  # fmt: skip
    main(command)
    assert "x sometimes: RuntimeError: HTTP 400" in capsys.readouterr().out
    monkeypatch.setenv("FIXED", "1")
    assert main((*command, "--retry-failed")) == 0
    assert "episodes failed" not in capsys.readouterr().out
    [log] = tmp_path.glob("*/seed-0/parallel.jsonl")
    assert [t.error for t in read_trajectories(log)] == [None] * 12
