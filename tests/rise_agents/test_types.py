from typing import Any

import numpy as np
import pytest

from rise_agents.types import Reply
from rise_env.errors import AgentError


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"text": None}, "text must be a str, got None"),
        ({"reasoning": 3}, "reasoning must be a str, got 3"),
        ({"finish": "done"}, "finish must be stop, length, .*; got 'done'"),
        ({"token_ids": [1, 2]}, r"token_ids must be a tuple of int, got \[1, 2\]"),
        ({"token_ids": tuple(np.array([1, 2]))}, "token_ids must be a tuple of int"),
        ({"logprobs": (-1, -2)}, r"logprobs must be a tuple of float, got \(-1, -2\)"),
        ({"token_ids": (1, 2), "logprobs": (-1.0,)}, "one log-probability per token, got 1 for 2 tokens"),
    ],
)
def test_a_reply_that_no_store_could_hold_is_refused_when_it_is_made(
    fields: dict[str, Any], message: str
) -> None:
    with pytest.raises(AgentError, match=message):
        Reply(**{"text": "4", **fields})


def test_a_reply_may_have_ids_log_probabilities_both_or_none() -> None:
    Reply(text="4", token_ids=(1, 2), logprobs=(-0.5, -1.0))
    Reply(text="4", token_ids=(), logprobs=())
    Reply(text="4", logprobs=(-0.5,))
