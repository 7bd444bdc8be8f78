r"""How likely a model finds the right answer after each turn: log p(\boxed{answer} | everything said so far).

    python -m rise_agents.evaluation.answer_likelihood MODEL LOGS/<label>

reads LOGS/<label>/seed-*/sequential.jsonl and writes nll.json beside each; `rise report` then draws
measure_nll, the paper's figure 4 left (arXiv:2407.18219). Natural logarithms, summed over the tokens of the
answer. The answer is scored as the start of the next reply, without any reasoning before it.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from rise_agents.generation.chat_template import encode, load_tokenizer
from rise_env.errors import DataNotFoundError
from rise_env.trajectories.store import read_run, read_trajectories
from rise_env.types import Trajectory

FILE = "nll.json"
FORM = "\\boxed{%s}"


def answer_logps(
    model: Any, tokenizer: Any, episodes: Sequence[Trajectory], turns: int, *, max_batch_tokens: int = 16384
) -> list[list[float | None]]:
    """Return log p of the right answer before each turn.

    Args:
        model: A transformers causal language model in eval mode.
        tokenizer: Its own, with a chat template.
        episodes: Sequential ones.
        turns: How many per episode; None stands for those not reached.
        max_batch_tokens: Rows times longest sequence of a batch.

    Returns:
        Shape [episodes, turns].
    """
    found: list[list[float | None]] = [[None] * turns for _ in episodes]
    places = [(e, t) for e, episode in enumerate(episodes) for t in range(min(turns, len(episode.turns)))]
    prompts = encode(tokenizer, [episodes[e].turns[t].observation for e, t in places])
    answers = [
        tokenizer(FORM % episodes[e].problem.reference, add_special_tokens=False)["input_ids"]
        for e, _ in places
    ]
    sequences = [prompt + answer for prompt, answer in zip(prompts, answers, strict=True)]
    for rows in _rows(sequences, max_batch_tokens):
        logps = _score(model, [sequences[row] for row in rows], [len(answers[row]) for row in rows])
        for row, value in zip(rows, logps, strict=True):
            episode, turn = places[row]
            found[episode][turn] = value
    return found


def _rows(sequences: Sequence[Sequence[int]], max_batch_tokens: int) -> list[list[int]]:
    order = sorted(range(len(sequences)), key=lambda row: len(sequences[row]))
    rows: list[list[int]] = [[]]
    for row in order:
        if rows[-1] and (len(rows[-1]) + 1) * len(sequences[row]) > max_batch_tokens:
            rows.append([])
        rows[-1].append(row)
    return rows if rows[-1] else []


@torch.inference_mode()
def _score(model: Any, sequences: Sequence[Sequence[int]], lengths: Sequence[int]) -> list[float]:
    """Return the summed log-probability of the last `length` tokens of each sequence; padded on the right."""
    width = max(map(len, sequences))
    ids = torch.tensor([[*sequence, *[0] * (width - len(sequence))] for sequence in sequences])
    mask = torch.tensor([[1] * len(s) + [0] * (width - len(s)) for s in sequences])
    longest = max(lengths) + max(width - len(s) for s in sequences) + 1
    logits = model(
        input_ids=ids.to(model.device), attention_mask=mask.to(model.device), use_cache=False,
        logits_to_keep=min(longest, width),
    ).logits.float()  # fmt: skip
    first = width - logits.shape[1]
    values = []
    for row, (sequence, length) in enumerate(zip(sequences, lengths, strict=True)):
        start = len(sequence) - length
        # position t predicts token t + 1
        at = torch.log_softmax(logits[row, start - 1 - first : len(sequence) - 1 - first], dim=-1)
        targets = torch.tensor(sequence[start:], device=at.device)
        values.append(float(at.gather(1, targets[:, None]).sum()))
    return values


def measure(model_path: str, label: Path, seed: int | None = None) -> list[Path]:
    """Write nll.json beside every sequential log of a label that has none.

    Args:
        model_path: Of the model that the logs are of.
        label: Folder of the logs.
        seed: Of the only log to look at, where every seed has a model of its own.

    Raises:
        DataNotFoundError: There are no such logs, or no such model.
    """
    from transformers import AutoModelForCausalLM

    logs = sorted(label.glob(f"seed-{'*' if seed is None else seed}/sequential.jsonl"))
    if not logs:
        raise DataNotFoundError(f"no seed-*/sequential.jsonl in {label}: measure the agent first")
    tokenizer = load_tokenizer(model_path)
    model = AutoModelForCausalLM.from_pretrained(model_path).eval()
    written = []
    for log in logs:
        path = log.with_name(FILE)
        if path.exists():
            continue
        episodes = list(read_trajectories(log))
        logps = answer_logps(model, tokenizer, episodes, read_run(log)["turns"])
        by_problem = {e.problem.id: row for e, row in zip(episodes, logps, strict=True)}
        new = path.with_suffix(".new")
        new.write_text(json.dumps({"logp": by_problem}))
        new.replace(path)
        written.append(path)
    return written


def main() -> None:
    """Run the command in the module's docstring."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("label", type=Path)
    arguments = parser.parse_args()
    for path in measure(arguments.model, arguments.label):
        print(path)


if __name__ == "__main__":
    main()
