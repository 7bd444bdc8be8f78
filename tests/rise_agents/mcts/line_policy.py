"""A policy whose replies are lines, drawn from a table. It continues replies and counts its requests."""

import math
from collections.abc import Callable, Sequence

import numpy as np

from rise_agents.chat.beginnings import split_beginning
from rise_agents.types import OnReply, Reply, SamplingConfig, StreamRequests
from rise_env.types import Conversation, Usage

Lines = Callable[[tuple[str, ...]], Sequence[tuple[str, float]]]
"""Lines so far -> the lines that may follow with their probabilities; none ends the reply."""

ASKED: Conversation = ({"role": "user", "content": "What is 1 + 3?"},)


def sums(lines: tuple[str, ...]) -> Sequence[tuple[str, float]]:
    """Two lines of steps, and an answer that depends on them."""
    if len(lines) < 2:
        return [(f"step {name}\n", 0.5) for name in "ab"]
    if len(lines) == 2:
        right = lines == ("step a\n", "step b\n")
        return [(f"So \\boxed{{{4 if right else 5}}}.", 0.75), ("So \\boxed{6}.", 0.25)]
    return []


class LinePolicy:
    """A `ContinuingAgent` and `TokenizingAgent`; a token is a word."""

    continues = True

    def __init__(self, lines: Lines = sums, *, name: str = "lines", logprobs: bool = True) -> None:
        self.name = name
        self._lines = lines
        self._logprobs = logprobs
        self.requests: list[tuple[Conversation, int, SamplingConfig]] = []
        self.batches: list[int] = []
        self.tokens = 0
        self.closed = 0

    def act(
        self,
        conversations: Sequence[Conversation],
        sampling: SamplingConfig,
        seeds: Sequence[int] | None = None,
    ) -> list[Reply]:
        assert seeds is not None
        self.batches.append(len(conversations))
        return [self.reply(c, seed, sampling) for c, seed in zip(conversations, seeds, strict=True)]

    def reply(self, conversation: Conversation, seed: int, sampling: SamplingConfig) -> Reply:
        self.requests.append((conversation, seed, sampling))
        _, beginning = split_beginning(conversation)
        lines = tuple(beginning["content"].splitlines(keepends=True)) if beginning else ()
        begun = len(lines)
        draw = np.random.default_rng(seed)
        logprobs: list[float] = []
        while options := self._lines(lines):
            weights = [weight for _, weight in options]
            place = (
                int(np.argmax(weights)) if sampling.temperature == 0 else draw.choice(len(options), p=weights)
            )
            line, weight = options[place]
            lines += (line,)
            logprobs += [math.log(weight), *[0.0] * (len(line.split()) - 1)]
        text = "".join(lines[begun:])
        usage = Usage(prompt_tokens=10, completion_tokens=len(text.split()))
        self.tokens += usage.completion_tokens
        return Reply(text=text, usage=usage, logprobs=tuple(logprobs) if self._logprobs else None)

    def prompt_tokens(self, conversations: Sequence[Conversation]) -> list[int]:
        return [10] * len(conversations)

    def tokens_before(self, reply: Reply, characters: int) -> int:
        return len(reply.text[:characters].split())

    def close(self) -> None:
        self.closed += 1


class StreamingLinePolicy(LinePolicy):
    """The same as a `StreamingAgent`, which answers the latest request first."""

    max_concurrent_requests = 3

    def stream(self, requests: StreamRequests, sampling: SamplingConfig, on_reply: OnReply) -> None:
        waiting = dict(requests)
        while waiting:
            number, (conversation, seed) = waiting.popitem()
            waiting |= on_reply(number, self.reply(conversation, seed, sampling))


class Blunt(LinePolicy):
    """It does not continue replies."""

    continues = False


class Failing(LinePolicy):
    """It fails where a function of the seed says so."""

    def __init__(self, fails: Callable[[int], bool]) -> None:
        super().__init__()
        self._fails = fails

    def reply(self, conversation: Conversation, seed: int, sampling: SamplingConfig) -> Reply:
        if self._fails(seed) and "1 + 1" not in conversation[0]["content"]:
            return Reply(text="too long", finish="error", usage=Usage(prompt_tokens=3))
        return super().reply(conversation, seed, sampling)
