r"""Train an embedded tiny model from scratch, on generated text only.

Needs torch and transformers, no GPU and no download. On two cores, one process each:

    OMP_NUM_THREADS=1 torchrun --nproc-per-node 2 examples/pretrain_tiny.py --minutes 24 --output tiny
    OMP_NUM_THREADS=1 torchrun --nproc-per-node 2 examples/pretrain_tiny.py --corpus notes --output tiny_notes

Writes a transformers folder: weights (safetensors), tokenizer, chat template, and a record of the training.
`rise_agents.tiny.corpus` and `rise_agents.tiny_notes.corpus` describe the text.
"""

import argparse
import itertools
import json
import math
import os
import time
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import torch
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from rise_agents.tiny.corpus import Corpus, CorpusConfig
from rise_agents.tiny_notes.corpus import NotesConfig, NotesCorpus

SPECIAL = ["<pad>", "<system>", "<user>", "<assistant>", "<end>"]
VOCABULARY = 1024  # at most; the arithmetic text needs fewer


def train_tokenizer(corpus: Corpus | NotesCorpus, documents: int = 4000) -> PreTrainedTokenizerFast:
    """Train a byte-level BPE tokenizer that writes numbers digit by digit.

    For notes, the s at the end of a word is a token of its own, so that a word is the same token in the
    singular and in the plural.
    """
    tokenizer = Tokenizer(models.BPE())
    parts = [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    if isinstance(corpus, NotesCorpus):
        parts.insert(1, pre_tokenizers.Split(Regex(r"(?<=[a-z])s\b"), "isolated"))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(parts)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=SPECIAL,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    texts = (m["content"] for i in range(documents) for m in corpus.document(i))
    tokenizer.train_from_iterator(texts, trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="<pad>",
        eos_token="<end>",
        extra_special_tokens=["<system>", "<user>", "<assistant>"],
        chat_template=(files("rise_agents.tiny") / "chat_template.jinja").read_text(),
        clean_up_tokenization_spaces=False,
        model_max_length=2048,
    )


def build_model(tokenizer: PreTrainedTokenizerFast, init: Path | None) -> LlamaForCausalLM:
    """Load the model to continue with, or build an untrained one."""
    if init is not None:
        return LlamaForCausalLM.from_pretrained(init)
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=128,
        intermediate_size=384,
        num_hidden_layers=4,
        num_attention_heads=4,
        max_position_embeddings=2048,
        tie_word_embeddings=True,
        pad_token_id=tokenizer.pad_token_id,
        eos_token_id=tokenizer.eos_token_id,
        bos_token_id=None,
    )
    return LlamaForCausalLM(config)


@torch.no_grad()
def copy_weights(
    model: LlamaForCausalLM, tokenizer: PreTrainedTokenizerFast, folder: Path
) -> LlamaForCausalLM:
    """Copy the weights of a model with another vocabulary: its layers, and the embeddings of equal tokens.

    A token that the other tokenizer does not have gets a random embedding of the mean length there.
    """
    old, old_tokenizer = LlamaForCausalLM.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)
    model.model.layers.load_state_dict(old.model.layers.state_dict())
    model.model.norm.load_state_dict(old.model.norm.state_dict())
    copied, known = old.get_input_embeddings().weight, old_tokenizer.get_vocab()
    embeddings, length = model.get_input_embeddings().weight, copied.norm(dim=1).mean()
    for token, number in tokenizer.get_vocab().items():
        if token in known:
            embeddings[number] = copied[known[token]]
        else:
            embeddings[number] *= length / embeddings[number].norm()
    return model


def average(model: torch.nn.Module, elapsed: float) -> float:
    """Average the gradients over the processes, and return the maximum of `elapsed` over them, in seconds."""
    if not torch.distributed.is_initialized():
        return elapsed
    grads = [p.grad for p in model.parameters() if p.grad is not None]
    flat = torch.cat([g.flatten() for g in grads])
    torch.distributed.all_reduce(flat)
    flat /= torch.distributed.get_world_size()
    for grad, part in zip(grads, flat.split([g.numel() for g in grads]), strict=True):
        grad.copy_(part.view_as(grad))
    longest = torch.tensor(elapsed)
    torch.distributed.all_reduce(longest, torch.distributed.ReduceOp.MAX)
    return float(longest)


def rows(
    corpus: Corpus | NotesCorpus,
    tokenizer: PreTrainedTokenizerFast,
    length: int,
    rank: int,
    ranks: int,
    *,
    alone: bool = False,
    prompts: bool = False,
) -> Iterator[tuple[list[int], list[int]]]:
    """Yield rows of `length` tokens and their labels.

    Messages of the assistant have labels: all of them, or the last one, as the corpus says. With `prompts`,
    all messages have labels. A row is filled with documents and cut at its end; with `alone`, it is one
    document and padding.
    """
    for block in itertools.count(rank, ranks):
        documents = [corpus.document(i) for i in range(512 * block, 512 * (block + 1))]
        texts = [m["content"] for d in documents for m in d]
        encoded = iter(tokenizer(texts, add_special_tokens=False)["input_ids"])
        ids: list[int] = []
        labels: list[int] = []
        for document in documents:
            for place, message in enumerate(document, start=1):
                content = next(encoded)
                piece = [SPECIAL.index(f"<{message['role']}>"), *content, tokenizer.eos_token_id]
                ids += piece
                learned = corpus.learned == "all" or place == len(document)
                if prompts or (learned and message["role"] == "assistant"):
                    labels += [-100, *piece[1:]]
                else:
                    labels += [-100] * len(piece)
            if alone or len(ids) >= length:
                padding = max(0, length - len(ids))
                yield ids[:length] + [0] * padding, labels[:length] + [-100] * padding
                ids, labels = [], []


def save(
    model: LlamaForCausalLM,
    tokenizer: PreTrainedTokenizerFast,
    settings: argparse.Namespace,
    losses: list[tuple[int, float]],
    tokens: int,
    seconds: float,
) -> None:
    """Write the model folder and a record of the training."""
    model.save_pretrained(settings.output)
    tokenizer.save_pretrained(settings.output)
    record = {
        "settings": {k: v for k, v in vars(settings).items() if k not in ("output", "init", "copy_from")},
        "parameters": model.num_parameters(),
        "tokens": tokens,
        "seconds": round(seconds),
        "losses": losses[:: max(1, len(losses) // 40)] + losses[-1:],
    }
    (settings.output / "pretraining.json").write_text(json.dumps(record, indent=1) + "\n")


def main() -> None:
    """Train and save."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--corpus", choices=("arithmetic", "notes"), default="arithmetic")
    parser.add_argument("--output", type=Path, default=Path("tiny"))
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--init", type=Path, help="folder of a model to continue with")
    parser.add_argument("--copy-from", type=Path, help="folder of a model with another vocabulary to copy")
    parser.add_argument("--seed", type=int, default=0, help="seed of the generated text")
    parser.add_argument("--batch", type=int, default=4, help="rows per step and process")
    parser.add_argument("--learning-rate", type=float, default=3e-3)
    parser.add_argument("--length", type=int, default=512, help="tokens per row; 512 holds five turns")
    parser.add_argument("--copies", type=float, default=0.1, help="fraction of copies in the corpus notes")
    parser.add_argument("--learn-prompts", action="store_true", help="prompts are learned as well")
    parser.add_argument("--changes", type=float, default=0.08, help="fraction of changes of a book")
    parser.add_argument("--most-notes", type=int, default=7, help="notes besides the one that is needed")
    parser.add_argument("--alone", action="store_true", help="one document per row")
    parser.add_argument("--turns", type=int, default=6, help="maximal number of problems in a conversation")
    for name, default in (("corrections", 0.3), ("sloppy", 0.0), ("slip", 0.4), ("clean-drafts", 0.3)):
        parser.add_argument(f"--{name}", type=float, default=default)
    a = parser.parse_args()
    mixture = CorpusConfig(
        turns=a.turns, corrections=a.corrections, sloppy=a.sloppy, slip=a.slip, clean_drafts=a.clean_drafts
    )
    corpus = (
        NotesCorpus(NotesConfig(copies=a.copies, changes=a.changes, most=a.most_notes), a.seed)
        if a.corpus == "notes"
        else Corpus(mixture, a.seed)
    )
    tokenizer = AutoTokenizer.from_pretrained(a.init) if a.init else train_tokenizer(corpus)
    model = build_model(tokenizer, a.init)
    if a.copy_from is not None:
        model = copy_weights(model, tokenizer, a.copy_from)
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=a.learning_rate, betas=(0.9, 0.95), weight_decay=0.01
    )
    rank, ranks = int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1"))
    if ranks > 1:
        torch.distributed.init_process_group("gloo")
    stream = rows(
        corpus,
        tokenizer,
        a.length,
        rank,
        ranks,
        alone=a.alone or (a.corpus == "arithmetic" and a.turns == 1),
        prompts=a.learn_prompts,
    )
    started = time.monotonic()
    seconds = a.minutes * 60
    losses: list[tuple[int, float]] = []
    step, elapsed = 0, 0.0
    while elapsed < seconds:
        batch = [next(stream) for _ in range(a.batch)]
        ids, labels = (torch.tensor(part) for part in zip(*batch, strict=True))
        decay = 0.5 * (1 + math.cos(math.pi * elapsed / seconds))
        for group in optimizer.param_groups:
            group["lr"] = a.learning_rate * min(1.0, (step + 1) / 100) * (0.02 + 0.98 * decay)
        with torch.autocast("cpu", torch.bfloat16):
            loss = model(input_ids=ids, labels=labels).loss
        loss.backward()
        elapsed = average(model, time.monotonic() - started)
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        step += 1
        if step % 250 == 0 and rank == 0:
            model.save_pretrained(a.output)
            tokenizer.save_pretrained(a.output)
        if step % 100 == 0 and rank == 0:
            losses.append((step, round(loss.item(), 4)))
            speed = step * a.batch * ranks * a.length / (time.monotonic() - started)
            print(
                f"step {step}  loss {loss.item():.4f}  {elapsed / 60:.1f} min  {speed:,.0f} tokens/s",
                flush=True,
            )
    if rank == 0:
        save(model, tokenizer, a, losses, step * a.batch * ranks * a.length, elapsed)


if __name__ == "__main__":
    main()
