"""Detects repetitive replies as the released RISE code does, and agents whose draws are all the same."""

import logging
from collections import Counter
from collections.abc import Sequence

from rise_agents.types import SamplingConfig
from rise_env.types import NO_REPLY, Attempt

_log = logging.getLogger(__name__)

MAX_REPEATS = 150
"""A reply is degenerate if one word occurs more often than this."""

MAX_WORD = 300
"""A reply is degenerate if one word has more characters than this."""

_ENOUGH_TURNS = 3
_ENOUGH_REPEATS = 6
_SHORTEST = 20
"""Draws count as all the same after this many turns, with this many repeated draws in sum. Replies with fewer
characters than the last number are not compared, because short ones are often the same by chance."""


def is_degenerate(reply: str) -> bool:
    """Return whether a reply repeats one word too often or contains an overlong word.

    Source: `workflow_gen.py` of cmu-mind/RISE drops such samples before it grades them.
    """
    words = reply.lower().split()
    if len(words) > MAX_REPEATS and Counter(words).most_common(1)[0][1] > MAX_REPEATS:
        return True
    return any(len(word) > MAX_WORD for word in words)


class DrawComparison:
    """Warns once if all draws of an agent are the same, although it samples at a temperature above 0.

    Some servers ignore the temperature or the seed. Then votes over several draws (m5@t1) and pass@k measure
    one reply.
    """

    def __init__(self) -> None:
        self._turns: Counter[tuple[str, SamplingConfig]] = Counter()
        """Turns whose draws are all the same, by agent and sampling."""
        self._repeats: Counter[tuple[str, SamplingConfig]] = Counter()
        """Draws of these turns after the first one."""
        self._settled: set[tuple[str, SamplingConfig]] = set()
        """Those with different draws, and those that were warned of."""

    def add(self, agent: str, sampling: SamplingConfig, attempts: Sequence[Attempt]) -> None:
        """Compare the draws of one turn.

        Args:
            agent: Name of the agent.
            sampling: How the draws were sampled.
            attempts: The draws.
        """
        key = (agent, sampling)
        texts = [attempt.reasoning + attempt.reply for attempt in attempts if attempt.finish not in NO_REPLY]
        if key in self._settled or sampling.temperature == 0 or len(texts) < 2:
            return
        if len(set(texts)) > 1:
            self._settled.add(key)
            return
        if len(texts[0]) < _SHORTEST:
            return
        self._turns[key] += 1
        self._repeats[key] += len(texts) - 1
        if self._turns[key] >= _ENOUGH_TURNS and self._repeats[key] >= _ENOUGH_REPEATS:
            self._settled.add(key)
            _log.warning(
                "all draws of %s are the same at temperature %g (%d turns with %d draws): its server or its "
                "model may ignore the temperature and the seed, so that votes over draws (m5@t1) and pass@k "
                "mean nothing; set server, parameters or extra, or play one draw",
                agent,
                sampling.temperature,
                self._turns[key],
                self._turns[key] + self._repeats[key],
            )
