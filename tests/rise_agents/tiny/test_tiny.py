"""The embedded model behaves as the bases of the paper do."""

from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

import rise_env
from rise_agents.registry import load_agent
from rise_agents.rollouts.rollout import rollout
from rise_agents.rollouts.turn_plan import TurnPlan
from rise_agents.tiny.corpus import CORRECT_THIS, Corpus, CorpusConfig, slipped, written
from rise_agents.types import SamplingConfig
from rise_env.envs import prompts
from rise_env.metrics.accuracy import correct_by_turn
from rise_env.metrics.bootstrap import bootstrap
from rise_env.problems.arithmetic.steps import Draws
from rise_env.types import Trajectory, Verdict

FOLDER = Path(str(files("rise_agents.tiny")))
PROBLEMS = 250


@pytest.fixture(scope="module")
def played() -> list[Trajectory]:
    settings = {"split": "test", "feedback": "blind", "stop_when_correct": False, "max_turns": 5}
    envs = [rise_env.make("RISE-Arithmetic-v0", **settings) for _ in range(PROBLEMS)]
    agent = load_agent("tiny")
    return rollout([TurnPlan(agent)] * 5, envs, range(PROBLEMS), SamplingConfig(max_new_tokens=96), seed=1)


def test_it_solves_30_to_50_percent_at_the_first_turn(played: list[Trajectory]) -> None:
    accuracy = np.mean([correct_by_turn(t, 1)[0] for t in played])
    assert 0.28 <= accuracy <= 0.52


def test_it_cannot_improve_over_turns(played: list[Trajectory]) -> None:
    correct = np.array([[correct_by_turn(t, 5) for t in played]])
    for turn in range(1, 5):
        change = bootstrap(correct[:, :, turn] - correct[:, :, 0], level=0.99)
        assert change.low <= 0 <= change.high


def test_it_gives_a_well_formed_answer_at_every_turn(played: list[Trajectory]) -> None:
    for turn in range(5):
        verdicts = [t.turns[turn].action.check.verdict for t in played]
        silent = sum(v in (Verdict.NO_ANSWER, Verdict.UNREADABLE) for v in verdicts)
        assert silent <= 0.02 * PROBLEMS


def test_it_is_small_and_holds_no_pickle() -> None:
    assert (FOLDER / "model.safetensors").stat().st_size <= 4 * 2**20
    assert not [path.name for path in FOLDER.iterdir() if path.suffix in {".bin", ".pt", ".pkl"}]


def test_its_card_says_what_it_saw() -> None:
    card = (FOLDER / "README.md").read_text()
    for word in ("examples/pretrain_tiny.py", "seed", "tokens", "loss", "corrections", "sloppy"):
        assert word in card


def test_no_conversation_of_the_corpus_poses_a_problem_twice() -> None:
    """Nothing there shows an attempt followed by a better one in the format of a retry."""
    corpus = Corpus(CorpusConfig(corrections=0.0))
    for index in range(300):
        posed = [m["content"] for m in corpus.document(index) if m["role"] == "user"]
        questions = [text.removeprefix(prompts.BLIND.partition("{")[0]) for text in posed]
        assert len(set(questions)) == len(questions)


def test_corrections_have_a_prompt_that_no_environment_uses() -> None:
    corpus = Corpus(CorpusConfig(corrections=1.0))
    for index in range(50):
        asked, answer = corpus.document(index)
        assert asked["content"].startswith(CORRECT_THIS.partition("{")[0])
        assert answer["role"] == "assistant"
    texts = [value for name, value in vars(prompts).items() if name.isupper() and isinstance(value, str)]
    assert not any(text.startswith("A student wrote") for text in texts)


def test_careful_writers_make_no_slip_and_sloppy_ones_do() -> None:
    corpus = Corpus(CorpusConfig())
    stories = [corpus._problems.story(i) for i in range(200)]
    careful = [slipped(s, Draws((0, i)), 0.0) for i, s in enumerate(stories)]
    assert all(steps == story.steps for steps, story in zip(careful, stories, strict=True))
    sloppy = [slipped(s, Draws((0, i)), 0.5) for i, s in enumerate(stories)]
    wrong = sum(a[-1].value != s.steps[-1].value for a, s in zip(sloppy, stories, strict=True))
    assert 60 <= wrong <= 180


def test_who_slips_before_the_steps_writes_them_right() -> None:
    """A wrong answer at the start is contradicted by what follows, as a guess is by a calculation."""
    story = next(s for s in map(Corpus(CorpusConfig())._problems.story, range(100)) if s.answer_first)
    drafts = {written(story, Draws((0, i)), 0.5) for i in range(50)}
    assert len(drafts) > 2
    assert len({draft.split("} ", 1)[1] for draft in drafts}) == 1
    assert story.solution in drafts


def test_documents_are_a_function_of_seed_and_index() -> None:
    assert Corpus(CorpusConfig(), 3).document(5) == Corpus(CorpusConfig(), 3).document(5)
    assert Corpus(CorpusConfig(), 3).document(5) != Corpus(CorpusConfig(), 4).document(5)
