"""The rows of the suite alphallm: AlphaLLM's loop with the embedded model, beside loops at as many tokens.

A search and the plain draws of the other loops have the same budget of generated tokens per problem, about
that of four replies. AlphaLLM also generates replies for its critic; the other loops play more problems
instead, so that the first iteration of each costs about as many generated tokens. `training_costs` measures
how many.
"""

from collections.abc import Mapping
from typing import Any

from rise_benchmarks.search.rows import AgentRow
from rise_benchmarks.variant import Variant

TOKENS = 140
"""Generated tokens per problem of every search, and of the plain draws that are compared with it."""

SEARCHED = 120
"""Problems per iteration of AlphaLLM."""

PLAYED = 300
"""Problems per iteration of the other loops. 120 problems with 6 replies of 35 tokens for the critic and 120
searches cost about as many tokens."""

_TREE: Mapping[str, Any] = {
    "option": "sentence",
    "tokens": TOKENS,
    "exploration": 0.5,
    "alpha": 8.0,
    "root_least": 3,
    "least": 2,
    "most": 6,
    "value_weight": 0.0,
    "importance": "siblings",
}
"""Settings of a search whose critic judges whole replies only, which halves its readings."""

_PLAIN: Mapping[str, Any] = {"option": "reply", "tokens": TOKENS, "root_least": 60, "choose": "best"}
"""Settings of a search that only draws whole replies: the best of n."""

_CRITIC: Mapping[str, Any] = {
    "train": 120,
    "samples": 6,
    "examples": {"kinds": ["outcome"], "balance": False},
    # the tiny model has to learn the form of the answer as well, which takes many small steps
    "fit": {"epochs": 2, "learning_rate": 2.0e-3, "batch_size": 8, "micro_batch_size": 8},
}

_FIT: Mapping[str, Any] = {"epochs": 3, "batch_size": 14, "micro_batch_size": 14}
"""Settings of the fits of all loops."""


def _improved(
    search: Mapping[str, Any], *, problems: int, fit: Mapping[str, Any], **settings: Any
) -> dict[str, Any]:
    """Return the settings of a loop of one turn whose replies a search writes."""
    improve = {"teacher": "mcts:{learner}", "num_samples": 1, "teacher_settings": dict(search)}
    return {
        "turns": 1,
        "problems": {"train": problems},
        "improve": improve,
        "fit": {**_FIT, **fit},
        **settings,
    }


def _by_score(least: float) -> dict[str, Any]:
    """Return the settings of a fit to the replies with at least this score, which reads no verdict."""
    return {
        "signal": "score",
        "weights": "binary",
        "selection": {"criterion": "successful", "success": least},
    }


LOOPS: Mapping[str, Variant] = {
    "alphallm": Variant(
        settings=_improved(
            {**_TREE, "critic": "verifier:{critic}"},
            problems=SEARCHED,
            iterations=2,
            critic=dict(_CRITIC),
            fit=_by_score(0.5),
        ),
        rows={"iteration 1": "loop, AlphaLLM 1", "iteration 2": "loop, AlphaLLM 2"},
        what="a critic fitted on labelled replies; then search and fit by its scores, without labels",
    ),
    "filtered-bc": Variant(
        settings=_improved(
            {**_PLAIN, "critic": "told"},
            problems=PLAYED,
            iterations=1,
            fit={"weights": "uniform", "selection": {"criterion": "successful"}},
        ),
        rows={"iteration 1": "loop, filtered BC"},
        what="with labels: of each problem one right reply of as many plain draws as the tokens allow",
    ),
    "confidence": Variant(
        settings=_improved(
            {**_PLAIN, "critic": "confidence"},
            problems=PLAYED,
            iterations=1,
            fit=_by_score(0.6),
        ),
        rows={"iteration 1": "loop, confidence"},
        what="without labels: of each problem the draw whose least probability of a token is largest",
    ),
}
"""Name of the variant -> how it differs from the recipe."""

LOOP_SEARCHES: Mapping[str, AgentRow] = {
    "base": AgentRow(agent="tiny", draws=8, what="one reply; its draws are what searches are compared with"),
    "base, greedy": AgentRow(agent="tiny", temperature=0.0, what="one reply at temperature 0"),
    "search, trained critic": AgentRow(
        agent="mcts:tiny",
        settings={**_TREE, "critic": "verifier:{critic}"},
        what="the search of the first iteration of AlphaLLM, and its critic",
    ),
}
"""Rows that nothing but the critic is trained for. {critic} stands for the critic that a variant fits."""
