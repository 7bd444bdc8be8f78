from typing import Literal

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from rise_trainers.data.dataset import Example, collate_padded, make_examples
from rise_trainers.data.optimizer_steps import StepPlan, describe_steps, first_fit, plan_steps
from rise_trainers.data.targets import Selection, select_targets
from rise_trainers.data.tokenization import ChatTokenizer, tokenize
from rise_trainers.loss.sequence_loss import sequence_loss
from tests.rise_trainers import small_models
from tests.rise_trainers.loss.reference import relative_error


def example(trajectory: int, replies: int) -> Example:
    return Example(np.zeros(4, np.int64), np.ones(4, np.float32), 4.0, replies, trajectory)


def replies_of(examples: list[Example], step: tuple[int, ...]) -> int:
    return sum(examples[index].replies for index in step)


@given(st.lists(st.integers(1, 6), min_size=1, max_size=60), st.integers(1, 12), st.integers(0, 3))
def test_a_step_holds_at_most_batch_size_replies_or_one_trajectory(
    sizes: list[int], batch_size: int, seed: int
) -> None:
    examples = [example(place, size) for place, size in enumerate(sizes)]
    plan = plan_steps(examples, batch_size=batch_size, epochs=2.5, seed=seed)
    assert len(plan.epochs) == 3
    for epoch in plan.epochs:
        assert len(epoch) == plan.steps_per_epoch
        assert sorted(index for step in epoch for index in step) == list(range(len(sizes)))
        for step in epoch:
            assert len(step) == 1 or replies_of(examples, step) <= batch_size


@given(st.lists(st.integers(1, 3), min_size=30, max_size=60), st.integers(0, 3))
def test_steps_are_as_full_as_whole_trajectories_allow(sizes: list[int], seed: int) -> None:
    examples = [example(place, size) for place, size in enumerate(sizes)]
    plan = plan_steps(examples, batch_size=8, epochs=1, seed=seed)
    assert plan.steps_per_epoch <= sum(sizes) / 6 + 1


def test_a_later_trajectory_fills_an_earlier_step() -> None:
    assert first_fit([2, 0, 1, 3], [3, 3, 3, 1], batch_size=4) == [[2, 3], [0], [1]]


def test_epochs_differ_and_are_repeatable() -> None:
    examples = [example(place, 1) for place in range(20)]
    plan = plan_steps(examples, batch_size=4, epochs=2)
    assert plan == plan_steps(examples, batch_size=4, epochs=2)
    assert plan.epochs[0] != plan.epochs[1]
    assert plan.epochs[0] != plan_steps(examples, batch_size=4, epochs=2, seed=1).epochs[0]


def test_a_trajectory_with_more_replies_than_a_step_is_named_in_the_log() -> None:
    examples = [example(0, 9), example(1, 1)]
    plan = plan_steps(examples, batch_size=4, epochs=1)
    assert plan.steps_per_epoch == 2
    first, second = describe_steps(examples, plan, batch_size=4)
    assert first == "2 optimizer steps per epoch, with 5.0 replies on average"
    assert "9 replies, more than batch_size 4" in second


Layout = Literal["auto", "per_turn"]


def steps_of(layout: Layout, normalize: Literal["token", "reply"]) -> tuple[list[Example], StepPlan]:
    """Return the sequences of 12 trajectories, in which some replies have weight 0, and their steps."""
    targets = select_targets(small_models.trajectories(12, seed=3), Selection())
    weights = np.random.default_rng(0).random(len(targets)) + 0.1
    weights[::5] = 0.0
    chat = ChatTokenizer(small_models.chat(small_models.tokenizer()))
    examples = make_examples(
        tokenize(chat, targets, max_length=1000, layout=layout).sequences,
        weights,
        normalize=normalize,
        trajectories=[target.trajectory for target in targets],
    )
    return examples, plan_steps(examples, batch_size=6, epochs=2, seed=5)


@pytest.mark.parametrize("normalize", ["token", "reply"])
def test_both_layouts_have_the_same_loss_and_gradient_in_every_step(
    normalize: Literal["token", "reply"],
) -> None:
    model = small_models.tiny_llama(small_models.VOCABULARY).double()
    (shared, one), (single, other) = (steps_of(layout, normalize) for layout in ("auto", "per_turn"))
    assert len(shared) < len(single)
    assert one.steps_per_epoch == other.steps_per_epoch > 2

    def step(examples: list[Example], chosen: tuple[int, ...]) -> tuple[float, dict[str, torch.Tensor]]:
        batch = collate_padded([examples[index] for index in chosen])
        model.zero_grad()
        loss = sequence_loss(model, batch, normalizer=batch["count"])
        loss.backward()
        return loss.item(), {
            name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None
        }

    for first, second in zip(one.epochs, other.epochs, strict=True):
        for mine, theirs in zip(first, second, strict=True):
            loss, gradient = step(shared, mine)
            expected_loss, expected = step(single, theirs)
            assert loss == pytest.approx(expected_loss, rel=1e-6)
            assert relative_error(gradient, expected) < 1e-6
