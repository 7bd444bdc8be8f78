"""Which problems, protocols and variants make a table, by name: what `rise bench SUITE` plays.

| suite       | what                                                                    | published numbers |
| ----------- | ----------------------------------------------------------------------- | ----------------- |
| paper-gsm8k | agents on the 1319 test problems of GSM8K: columns of tables 1 and 2    | both tables       |
| paper-math  | agents on the 1000 MATH problems of the paper: columns of table 1       | table 1           |
| transfer    | agents, trained on one set, on several others                           | none              |
| embedded    | RISE-Arithmetic with the tiny model: base, SFT, filtered BC, RISE, ...  | none              |
| ablations   | the same with one setting of RISE changed at a time                     | none              |
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

PROTOCOLS = ("sequential", "parallel", "self_refine")


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """One suite. Those with variants train; the others measure the agents they are given."""

    envs: tuple[str, ...]
    """Every one gets a table."""
    split: str = "test"
    limit: int | None = None
    """Problems of each, the first ones of the split; None is all of them."""
    protocols: tuple[str, ...] = PROTOCOLS
    prompting: tuple[str, ...] = ()
    """Further protocols of the first row alone: what can be had from it without training."""
    draws: int = 5
    """First replies per problem: more than 5 where hard problems are looked at."""
    published: Literal["gsm8k", "math"] | None = None
    checker: str | None = None
    """The released code's, for the second table beside the published numbers."""
    variants: Mapping[str, "Variant"] = field(default_factory=dict)
    figures: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The paper's ablations, each with its rows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """One way to train: what it sets in `RunConfig`, over a recipe that all variants share."""

    settings: Mapping[str, Any] = field(default_factory=dict)
    rows: Mapping[str, str] = field(default_factory=dict)
    """Of its run: label -> name in the suite's table; labels not named are left out."""
    rollouts_of: str | None = None
    """The earlier variant whose first iteration plays the very same episodes: they are taken from there."""
    what: str = ""


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
    """Return a variant that differs from RISE in its fits alone; its first rollouts are RISE's."""
    return Variant(
        settings={"iterations": iteration, "fit": fit},
        rows={f"iteration {iteration}": f"{iteration}, {name}"},
        what=what,
        rollouts_of="rise",
    )


ABLATIONS: Mapping[str, Variant] = {
    "rise": VARIANTS["rise"],
    "weights-centred": _fitted(
        1, "centred weights", "the reward less the mean of its turn", weights="exp_per_turn"
    ),
    "weights-uniform": _fitted(1, "no weights", "every kept reply counts the same", weights="uniform"),
    "one-turn-history": _fitted(
        1, "no history", "every reply is trained as an answer to the problem alone", selection={"history": 0}
    ),
    # the second iteration: in two turns whose last one a teacher plays they choose alike
    "select-better": _fitted(
        2, "better", "turns that improve on the one before", selection={"criterion": "better"}
    ),
    "select-best": _fitted(2, "best", "turns as good as any before", selection={"criterion": "best"}),
    "select-successful": _fitted(
        2, "successful", "right replies alone", selection={"criterion": "successful"}
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
        what="the second iteration is played by the base as well",
        rollouts_of="rise",
    ),
    "continue": Variant(
        settings={"iterations": 2, "restart": False},
        rows={"iteration 2": "2, continued"},
        what="the second fit goes on from the first one, on its own data",
        rollouts_of="rise",
    ),
}

SUITES: Mapping[str, Suite] = {
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
            "multi_turn_interaction": ("RISE 1", "1, centred weights", "1, no weights", "1, no history"),
            "fail_samples": ("RISE 2", "2, better", "2, best", "2, successful"),
            "iterative_ablation": ("RISE 1", "RISE 2", "2, off-policy", "2, continued"),
            "correct_to_correct": ("RISE 1", "1, correct to correct"),
        },
    ),
}
