"""Small models, tokenizers and trajectories that the tests of the trainer share."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from rise_agents.chat.chat import Chat
from rise_agents.chat.chat_settings import ChatSettings
from rise_env.trajectories.store import TrajectoryStore
from rise_env.types import Attempt, CheckResult, Conversation, Problem, Trajectory, Turn, Verdict
from rise_trainers.fitting.config import FitConfig

STABLE = (
    "{% for m in messages %}{{ '<' + m['role'] + '>' + m['content'] + '<end>' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<assistant>' }}{% endif %}"
)
VOCABULARY = 420
RETRY = "Please try again."
_TEXT = [
    "What is 12 plus 7? Ann has 5 apples and buys 13 more. How many apples has she now?",
    "12 + 7 = 19. The answer is \\boxed{19}. So she has 5 + 13 = 18 apples, \\boxed{18}.",
    RETRY,
]


def tokenizer(
    template: str = STABLE,
    special: Sequence[str] = (),
    *,
    kind: str = "bytes",
    bos: str | None = None,
    end: str = "<end>",
    added: Sequence[str] = (),
    strips: Sequence[str] = (),
    text: Sequence[str] = (),
) -> PreTrainedTokenizerFast:
    """Return a small tokenizer; its special tokens are those of STABLE, and more.

    Args:
        template: Its chat template.
        special: More special tokens.
        kind: "bytes" like GPT-2's, or "pieces" that begin with a space mark, like SentencePiece's.
        bos: The token that begins a text; None is "<s>" if it is one of the special tokens.
        end: The token that ends a text.
        added: Added tokens that are not special.
        strips: Those of the special tokens that take the spaces and line breaks after them into themselves.
        text: What it learns its merges from, besides a few sentences.
    """
    names = list(dict.fromkeys(["<end>", "<user>", "<system>", *special]))
    if "<assistant>" in template:
        names.append("<assistant>")
    core = Tokenizer(models.BPE())
    if kind == "bytes":
        core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        core.decoder = decoders.ByteLevel()
        alphabet = pre_tokenizers.ByteLevel.alphabet()
    else:
        core.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first")
        core.decoder = decoders.Metaspace(prepend_scheme="first")
        alphabet = sorted({chr(code) for code in range(32, 127)} | {"\n", "\u2581"})
    trainer = trainers.BpeTrainer(vocab_size=VOCABULARY, special_tokens=names, initial_alphabet=alphabet)
    core.train_from_iterator([*_TEXT, *text], trainer)
    core.add_tokens([AddedToken(name, normalized=False) for name in added])
    core.add_special_tokens(
        [AddedToken(name, special=True, normalized=False, rstrip=True) for name in strips]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=core,
        bos_token=bos or ("<s>" if "<s>" in special else None),
        eos_token=end,
        pad_token=end,
        chat_template=template,
    )


def chat(tokenizer: PreTrainedTokenizerFast, **settings: Any) -> Chat:
    """Return how a model with this tokenizer reads conversations."""
    return Chat(tokenizer, None, ChatSettings(**settings))


def tiny_llama(
    vocabulary: int, *, width: int = 32, layers: int = 2, seed: int = 0, **more: Any
) -> LlamaForCausalLM:
    """Return a random Llama; the global random state is left as it was."""
    import torch

    config = LlamaConfig(
        hidden_size=width,
        intermediate_size=2 * width,
        num_hidden_layers=layers,
        num_attention_heads=2,
        num_key_value_heads=2,
        vocab_size=vocabulary,
        max_position_embeddings=1024,
        **more,
    )
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return LlamaForCausalLM(config)


def save_model(folder: Path, **more: Any) -> Path:
    """Write a random model with its tokenizer."""
    tok = tokenizer()
    tiny_llama(len(tok), **more).save_pretrained(folder)
    tok.save_pretrained(folder)
    return folder


def trajectory(
    rewards: Sequence[float],
    replies: Sequence[str] | None = None,
    name: str = "p0",
    question: str = "What is 12 plus 7?",
) -> Trajectory:
    """Return an episode with these rewards, one attempt per turn, blind feedback."""
    replies = replies or [f"I say \\boxed{{{17 + turn}}}, in turn {turn}." for turn in range(len(rewards))]
    seen: Conversation = ({"role": "user", "content": question},)
    turns = []
    for reply, reward in zip(replies, rewards, strict=True):
        check = CheckResult(Verdict.CORRECT if reward == 1 else Verdict.WRONG, reply[-3:])
        turns.append(
            Turn(observation=seen, attempts=(Attempt(agent="toy", reply=reply, check=check, reward=reward),))
        )
        seen = (*seen, {"role": "assistant", "content": reply}, {"role": "user", "content": RETRY})
    problem = Problem(id=name, question=question, reference="19")
    return Trajectory(
        id=f"t-{name}-{len(rewards)}", problem=problem, turns=tuple(turns), seed=0, truncated=rewards[-1] != 1
    )


def trajectories(number: int, *, seed: int = 0, words: int = 30) -> list[Trajectory]:
    """Return episodes of one to three turns with replies of several lengths."""
    rng = np.random.default_rng(seed)
    result = []
    for index in range(number):
        turns = int(rng.integers(1, 4))
        rewards = [float(rng.choice([-1.0, 0.0])) for _ in range(turns - 1)] + [float(rng.choice([0.0, 1.0]))]
        replies = [
            " ".join(
                f"{a} + {b} = {a + b}." for a, b in rng.integers(0, 50, (int(rng.integers(1, words // 3)), 2))
            )
            + f" \\boxed{{{int(rng.integers(0, 99))}}}"
            for _ in range(turns)
        ]
        a, b = rng.integers(0, 50, 2)
        result.append(trajectory(rewards, replies, name=f"p{index}", question=f"What is {a} plus {b}?"))
    return result


def save_store(path: Path, episodes: Sequence[Trajectory]) -> Path:
    """Write episodes as a store."""
    with TrajectoryStore(path, {"env": "toy"}) as store:
        store.append(episodes)
    return path


def fit_config(folder: Path, **settings: Any) -> FitConfig:
    """Return a fit of four steps on a small model and store that it writes into `folder`."""
    if not (folder / "store.jsonl").exists():
        save_store(folder / "store.jsonl", trajectories(16))
    if not (folder / "model").exists():
        save_model(folder / "model")
    defaults: dict[str, Any] = {
        "data": (str(folder / "store.jsonl"),),
        "model": str(folder / "model"),
        "output": str(folder / "fitted"),
        "batch_size": 16,
        "micro_batch_size": 2,
        "learning_rate": 1e-2,
        "device": "cpu",
        "threads": 1,
    }
    return FitConfig(**{**defaults, **settings})
