import dataclasses
from pathlib import Path
from typing import Any

from rise_trainers.data.encoding import ChatTokenizer
from rise_trainers.data.targets import Selection, TrainingTarget, select_targets
from rise_trainers.data.token_cache import load_or_make
from rise_trainers.data.tokenization import Tokenized, tokenize
from tests.rise_trainers import small_models

CHAT = small_models.chat(small_models.tokenizer())
TARGETS = select_targets(small_models.trajectories(5), Selection())


class Counted:
    def __init__(self, targets: list[TrainingTarget] = TARGETS, max_length: int = 90) -> None:
        self.calls = 0
        self._targets = targets
        self._max_length = max_length

    def __call__(self) -> Tokenized:
        self.calls += 1
        return tokenize(ChatTokenizer(CHAT), self._targets, max_length=self._max_length)


def run(make: Counted, folder: Path, targets: list[TrainingTarget] = TARGETS, settings: Any = 1) -> Tokenized:
    return load_or_make(make, targets, beside=folder / "store.jsonl", chat=CHAT, settings=settings)


def test_tokens_are_made_once_and_read_back_the_same(tmp_path: Path) -> None:
    make = Counted()
    first = run(make, tmp_path)
    assert first.shortened
    assert run(make, tmp_path) == first
    assert make.calls == 1


def test_sampled_ids_and_their_log_probabilities_are_read_back(tmp_path: Path) -> None:
    ids = (*CHAT.tokenizer("7").input_ids, *CHAT.tokenizer(" 7").input_ids, *CHAT.stop_tokens)
    logprobs = tuple(-0.25 * place for place in range(len(ids)))
    first = dataclasses.replace(TARGETS[0], reply="7 7", token_ids=ids, logprobs=logprobs)
    other = dataclasses.replace(first, trajectory="other", reply="7", logprobs=None)
    make = Counted([first, other], max_length=500)
    made = run(make, tmp_path, targets=[first, other])
    assert run(make, tmp_path, targets=[first, other]) == made
    assert make.calls == 1
    assert [sequence.spans[0].logprobs for sequence in made.sequences] == [logprobs, None]
    assert made.sequences[1].spans[0].drifted
    assert made.counts["other_text"] == 1
    run(make, tmp_path, targets=[dataclasses.replace(first, logprobs=None), other])
    assert make.calls == 2


def test_other_targets_settings_or_templates_have_tokens_of_their_own(tmp_path: Path) -> None:
    make = Counted()
    run(make, tmp_path)
    run(make, tmp_path, settings=2)
    run(make, tmp_path, targets=TARGETS[:-1])
    run(make, tmp_path, targets=[dataclasses.replace(TARGETS[0], reply="x"), *TARGETS[1:]])
    assert make.calls == 4


def test_rewards_are_no_part_of_the_cache(tmp_path: Path) -> None:
    make = Counted()
    run(make, tmp_path)
    run(make, tmp_path, targets=[dataclasses.replace(target, reward=9.0) for target in TARGETS])
    assert make.calls == 1


def test_a_broken_cache_is_made_again(tmp_path: Path) -> None:
    make = Counted()
    first = run(make, tmp_path)
    [file] = tmp_path.glob("*.npz")
    file.write_bytes(file.read_bytes()[:50])
    assert run(make, tmp_path) == first
    assert make.calls == 2


def test_a_folder_that_cannot_be_written_only_costs_time(tmp_path: Path) -> None:
    make = Counted()
    run(make, tmp_path / "nowhere")
    assert make.calls == 1
