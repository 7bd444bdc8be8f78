"""The settings of published searches, as far as RISE has the same parts.

Values of RISE's critics are in [0, 1]. Where a system adds values of other ranges, `alpha` is multiplied by
the range of its sums: 4 in the paper of AlphaLLM (a value in [-1, 1] and two scores in [0, 1]), and 3 in its
script, which leaves one score out.

Sources: AlphaLLM (arXiv:2404.12253, settings for GSM8K with the small number of roll-outs, and run_mcts.sh of
its code), rStar (arXiv:2408.06195, without its five kinds of actions and its second model), ReST-MCTS*
(arXiv:2406.03816, evaluate.py of its code; v + C sqrt(2 ln N / n) with C = 0.4).
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from rise_agents.mcts.settings import SearchSettings
from rise_env.utils.suggestions import validate_choice

PRESETS: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "alphallm": {
            "alpha": 4.0,
            "rollouts": 4,
            "least_distance": 20,
            "process_weight": 1.0,
        },
        "alphallm_code": {
            "simulations": 40,
            "root_least": 40,
            "least": 3,
            "alpha": 6.0,
            "importance": "siblings",
            "rollouts": 4,
            "least_distance": 20,
            "greedy_first": True,
        },
        "rstar": {
            "simulations": 16,
            "exploration": 2.0,
            "root_least": 5,
            "least": 5,
            "alpha": 0.0,
            "depth": 5,
            "critic": "agreement",
        },
        "rest": {
            "simulations": 100,
            "exploration": 0.566,
            "root_least": 3,
            "least": 3,
            "alpha": 0.0,
            "backup": "max",
            "choose": "best",
        },
        "mctsr": {
            "simulations": 16,
            "option": "reply",
            "exploration": 1.4,
            "root_least": 3,
            "alpha": 0.0,
            "choose": "best",
        },
    }
)
"""Preset -> settings that differ from the defaults of `SearchSettings`."""


def search_settings(preset: str | None = None, **given: Any) -> SearchSettings:
    """Return the settings of a preset, with the given ones in place of its own.

    Args:
        preset: One of `PRESETS`; None is the defaults.
        **given: Fields of `SearchSettings`.

    Raises:
        ConfigError: There is no such preset, or a value is out of range.
    """
    of_preset = {} if preset is None else PRESETS[validate_choice(preset, PRESETS, "preset")]
    return SearchSettings(**{**of_preset, **given})
