"""Plays two turns in a style of chat template with a fake sampler, and makes training sequences of them.

The turns are played as agents play them: a prompt becomes token ids, the sampler answers with token ids, and
reasoning and text of the reply are read from these and become part of the next prompt. The trajectory is
written to a store and read from there, as a fit does.
"""

import dataclasses
from dataclasses import dataclass
from pathlib import Path

import msgspec

from rise_agents.chat.chat import Chat
from rise_agents.chat.loading import load_chat
from rise_env.trajectories.serialization import reply_message
from rise_env.trajectories.store import TrajectoryStore, read_trajectories
from rise_env.types import Attempt, CheckResult, Conversation, Problem, Trajectory, Turn, Usage, Verdict
from rise_trainers.data.chat_format import GivenChat, load_fit_chat
from rise_trainers.data.encoding import ChatTokenizer, Think
from rise_trainers.data.targets import Selection, TrainingTarget, select_targets
from rise_trainers.data.tokenization import Tokenized, tokenize
from rise_trainers.fitting.prepare_data import read_formats, with_own_ids
from tests.rise_trainers.chat_templates import Style

QUESTION = "What is 12 plus 7?"
THOUGHTS = ("Ann has 12 and buys 7.", "So she has 19.")
REPLIES = ("The answer is 18.", "The answer is 19.")
RETRY = "Please try again."


@dataclass(frozen=True, slots=True)
class PlayedTurn:
    """One turn as it was played."""

    prompt: list[int]
    sampled: list[int]


@dataclass(frozen=True, slots=True)
class Game:
    """Two turns, and the files that a fit starts from."""

    model: Path
    store: Path
    turns: list[PlayedTurn]
    chat: Chat
    """How the agent reads conversations."""


def play(style: Style, folder: Path, *, unusual: bool = False) -> Game:
    """Play two turns in a new folder.

    Args:
        style: The style of the model.
        folder: Where its files and the store are written.
        unusual: Whether the sampler splits words in another way than the tokenizer.

    Raises:
        ConfigError: The style cannot be played.
    """
    style.save(folder / "model")
    chat = load_chat(str(folder / "model"), style.settings())
    question: Conversation = ({"role": "user", "content": QUESTION},)
    seen = ({"role": "system", "content": style.system}, *question) if style.system else question
    turns, played = [], []
    for thought, reply in zip(THOUGHTS, REPLIES, strict=True):
        [prompt] = chat.encode([seen])
        sampled = sample(chat, chat.prompt(seen), style.reply(reply, thought))
        if unusual:
            sampled = [piece for token in sampled for piece in _characters(chat, token)]
        attempt = read(chat, prompt, sampled)
        turns.append(Turn(observation=seen, attempts=(attempt,)))
        played.append(PlayedTurn(prompt, sampled))
        seen = (*seen, reply_message(attempt), {"role": "user", "content": RETRY})
    problem = Problem(id="p0", question=QUESTION, reference="19")
    store = folder / "store.jsonl"
    formats = {"model": msgspec.to_builtins(chat.format("model"))}
    with TrajectoryStore(store, {"env": "styles", "formats": formats}) as file:
        file.append([Trajectory(id="t0", problem=problem, turns=tuple(turns), seed=0, truncated=True)])
    return Game(folder / "model", store, played, chat)


def sample(chat: Chat, prompt: str, reply: str) -> list[int]:
    """Return the token ids of a reply after its prompt."""
    before, whole = chat.token_ids(prompt), chat.token_ids(prompt + reply)
    assert whole[: len(before)] == before, "a token of the prompt goes on in the reply"
    return whole[len(before) :]


def read(chat: Chat, prompt: list[int], sampled: list[int]) -> Attempt:
    """Return the attempt that an agent makes of the tokens that it sampled."""
    reasoning, text = chat.read(sampled, prompt)
    return Attempt(
        agent="model",
        reply=text,
        reasoning=reasoning,
        check=CheckResult(Verdict.WRONG, None),
        reward=0.0,
        finish="stop" if sampled[-1] in chat.stop_tokens else "length",
        usage=Usage(prompt_tokens=len(prompt), completion_tokens=len(sampled)),
        token_ids=tuple(sampled),
        logprobs=tuple(-0.5 for _ in sampled),
    )


def _characters(chat: Chat, token: int) -> list[int]:
    """Return the tokens of the characters of a token; an added token is its own."""
    if token in chat.tokenizer.added_tokens_decoder:
        return [token]
    ids: list[int] = chat.tokenizer.convert_tokens_to_ids(list(chat.tokenizer.convert_ids_to_tokens(token)))
    return ids


def train(game: Game, *, with_ids: bool = True, think: Think = "keep") -> Tokenized:
    """Return the training sequences that a fit makes of the store.

    Args:
        game: What was played.
        with_ids: Whether the fit knows the sampled ids, or has the text alone, as from a server.
        think: What happens to thoughts.
    """
    formats = read_formats([str(game.store)])
    chat, _ = load_fit_chat(GivenChat(model=str(game.model)), formats)
    targets = select_targets(read_trajectories(game.store), Selection(success=2.0))
    targets = with_own_ids(targets, formats, chat)
    if not with_ids:
        targets = [_without_ids(target) for target in targets]
    return tokenize(ChatTokenizer(chat, think=think), targets, max_length=100_000)


def _without_ids(target: TrainingTarget) -> TrainingTarget:
    return dataclasses.replace(target, token_ids=None, logprobs=None)
