"""The suites of `rise bench SUITE`: the problems, protocols and trained variants of each table.

| suite       | what                                                                    | published numbers |
| ----------- | ----------------------------------------------------------------------- | ----------------- |
| paper-gsm8k | agents on the 1319 test problems of GSM8K: columns of tables 1 and 2    | both tables       |
| paper-math  | agents on the 1000 MATH problems of the paper: columns of table 1       | table 1           |
| transfer    | agents, trained on one set, on several others                           | none              |
| embedded    | RISE-Arithmetic with the tiny model: base, SFT, filtered BC, RISE, ...  | none              |
| ablations   | the same with one setting of RISE changed at a time                     | none              |
| conventions | an agent without rules, with given and with learned ones           | none              |
| memory      | an agent without memory, and with memories of several policies          | none              |
| embedded-search | the tiny model, and searches over it, at equal tokens               | none              |
| alphallm    | AlphaLLM's loop with the tiny model beside loops at as many tokens      | none              |
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from rise_benchmarks.learning.rows import CONVENTIONS, MEMORIES, LearnedRow
from rise_benchmarks.search.loop_rows import LOOP_SEARCHES, LOOPS
from rise_benchmarks.search.rows import EMBEDDED_SEARCH, AgentRow
from rise_benchmarks.variant import Variant
from rise_env.metrics.budgets.equal_budget import Budget

PROTOCOLS = ("sequential", "parallel", "self_refine")


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """One suite. A suite with variants trains them; any other measures the agents that the user names."""

    envs: tuple[str, ...]
    """Environment ids; each gets a table."""
    split: str = "test"
    limit: int | None = None
    """Number of problems of each environment, from the beginning of the split; None takes all."""
    protocols: tuple[str, ...] = PROTOCOLS
    prompting: tuple[str, ...] = ()
    """Further protocols that only the first row is measured with, to show what the base model reaches by
    prompting."""
    draws: int = 5
    """Independent first replies per problem."""
    published: Literal["gsm8k", "math"] | None = None
    checker: str | None = None
    """Checker of the released RISE code, for a second table to compare with the published numbers."""
    variants: Mapping[str, Variant] = field(default_factory=dict)
    agents: Mapping[str, AgentRow] = field(default_factory=dict)
    """Rows of agents that the suite names itself; each row is measured with its own settings. {critic} in
    them stands for the critic that the variants fit."""
    learned: Mapping[str, LearnedRow] = field(default_factory=dict)
    """Rows of what the agent that the user names learns without weights."""
    turns: int = 5
    """Number of turns: T of m1@tT."""
    num_samples: int = 5
    """Number of first replies that vote: K of mK@t1."""
    equal: Budget | None = None
    """What is held equal in a second table; see `rise report --equal`."""
    figures: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Ablation of `figures.ABLATIONS` -> the names of its rows."""


VARIANTS: Mapping[str, Variant] = {
    "rise": Variant(
        settings={"iterations": 2},
        rows={"base": "base", "iteration 1": "RISE 1", "iteration 2": "RISE 2"},
        what="self-distillation: the best of N own replies at the last turn, all rollouts, weighted",
    ),
    "sft": Variant(
        settings={
            "iterations": 1,
            "turns": 1,
            "improve": {"teacher": "expert", "num_samples": 1},
            "fit": {"weights": "uniform"},
        },
        rows={"iteration 1": "SFT"},
        what="supervised fine-tuning on worked solutions, one turn",
    ),
    "filtered-bc": Variant(
        settings={
            "iterations": 1,
            "turns": 1,
            "fit": {"weights": "uniform", "selection": {"criterion": "successful"}},
        },
        rows={"iteration 1": "filtered BC"},
        what="own right replies at the first turn, unweighted",
    ),
    "distillation": Variant(
        settings={"iterations": 1, "turns": 2, "improve": {"teacher": "expert", "num_samples": 1}},
        rows={"iteration 1": "RISE 1, teacher"},
        what="own wrong reply, then the teacher's, weighted",
    ),
}


def _fitted(iteration: int, name: str, what: str, **fit: Any) -> Variant:
    """Return a variant that differs from "rise" only in its fits, and so shares its first rollouts."""
    return Variant(
        settings={"iterations": iteration, "fit": fit},
        rows={f"iteration {iteration}": f"{iteration}, {name}"},
        what=what,
        rollouts_of="rise",
    )


PAPER_REWARDS: Mapping[str, Any] = {"problems": {"settings": {"rewards": "paper"}}}
"""Settings of a run with the rewards of the paper, section 4.1: 1 for a right answer, 0 otherwise."""

ABLATIONS: Mapping[str, Variant] = {
    "rise": VARIANTS["rise"],
    "weights-per-problem": Variant(
        settings={"iterations": 1, **PAPER_REWARDS, "fit": {"weights": "exp_per_problem"}},
        rows={"iteration 1": "1, exp_per_problem"},
        what="rewards and centring of the paper, before the exponential: the reward less its problem's mean",
    ),
    "weights-centred-exp": Variant(
        settings={"iterations": 1, **PAPER_REWARDS, "fit": {"weights": "centred_exp"}},
        rows={"iteration 1": "1, centred_exp"},
        what="rewards and centring of the paper, after the exponential",
        rollouts_of="weights-per-problem",
    ),
    "weights-per-turn": _fitted(
        1,
        "exp_per_turn",
        "the reward less the mean of its turn, which the paper does not do",
        weights="exp_per_turn",
    ),
    "weights-uniform": _fitted(1, "no weights", "every kept reply counts the same", weights="uniform"),
    "one-turn-history": _fitted(
        1,
        "no history",
        "every reply is trained as an answer to the problem, without the turns before",
        selection={"history": 0},
    ),
    # compared after the second iteration: on rollouts of two turns these criteria select the same replies
    "select-better": _fitted(
        2, "better", "turns that improve on the one before", selection={"criterion": "better"}
    ),
    "select-best": _fitted(2, "best", "turns as good as any before", selection={"criterion": "best"}),
    "select-successful": _fitted(
        2, "successful", "right replies only", selection={"criterion": "successful"}
    ),
    "correct-to-correct": Variant(
        settings={
            "iterations": 1,
            "improve": {"after_success": True},
            "fit": {"selection": {"keep_after_success": True}},
        },
        rows={"iteration 1": "1, correct to correct"},
        what="episodes go on after a right reply",
    ),
    "off-policy": Variant(
        settings={"iterations": 2, "on_policy": False},
        rows={"iteration 2": "2, off-policy"},
        what="the second iteration is played by the base model as well",
        rollouts_of="rise",
    ),
    "continue": Variant(
        settings={"iterations": 2, "restart": False},
        rows={"iteration 2": "2, continued"},
        what="the second fit starts from the first one, on data of its own iteration",
        rollouts_of="rise",
    ),
}

SUITES: Mapping[str, Suite] = {
    "conventions": Suite(
        envs=("RISE-Conventions-v0",),
        limit=200,
        protocols=("sequential", "parallel"),
        turns=1,
        num_samples=1,
        learned=CONVENTIONS,
        equal="total",
    ),
    "memory": Suite(
        envs=("RISE-Conventions-v0",),
        limit=200,
        protocols=("sequential", "parallel"),
        turns=1,
        num_samples=1,
        learned=MEMORIES,
        equal="total",
    ),
    "embedded-search": Suite(
        envs=("RISE-Arithmetic-v0",),
        limit=200,
        protocols=("sequential", "parallel"),
        turns=1,
        num_samples=1,
        agents=EMBEDDED_SEARCH,
        equal="generated",
    ),
    "alphallm": Suite(
        envs=("RISE-Arithmetic-v0",),
        limit=300,
        protocols=("sequential", "parallel"),
        turns=1,
        num_samples=1,
        variants=LOOPS,
        agents=LOOP_SEARCHES,
        equal="generated",
    ),
    "paper-gsm8k": Suite(envs=("RISE-GSM8K-v0",), published="gsm8k", checker="released_rise_gsm8k"),
    "paper-math": Suite(
        envs=("RISE-MATH-v0",), split="test_rise", published="math", checker="released_rise_math"
    ),
    "transfer": Suite(
        envs=("RISE-GSM8K-v0", "RISE-SVAMP-v0", "RISE-ASDiv-v0", "RISE-MAWPS-v0", "RISE-GSMHard-v0"),
        protocols=("sequential", "parallel"),
    ),
    "embedded": Suite(
        envs=("RISE-Arithmetic-v0",),
        limit=200,
        protocols=("sequential", "parallel"),
        prompting=("self_refine",),
        draws=10,
        variants=VARIANTS,
    ),
    "ablations": Suite(
        envs=("RISE-Arithmetic-v0",),
        split="validation",
        limit=200,
        protocols=("sequential", "parallel"),
        variants=ABLATIONS,
        figures={
            "multi_turn_interaction": (
                "RISE 1",
                "1, exp_per_problem",
                "1, centred_exp",
                "1, exp_per_turn",
                "1, no weights",
                "1, no history",
            ),
            "fail_samples": ("RISE 2", "2, better", "2, best", "2, successful"),
            "iterative_ablation": ("RISE 1", "RISE 2", "2, off-policy", "2, continued"),
            "correct_to_correct": ("RISE 1", "1, correct to correct"),
        },
    ),
}
