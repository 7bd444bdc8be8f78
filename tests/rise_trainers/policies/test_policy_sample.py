import numpy as np

from rise_trainers.data.targets import TrainingTarget
from rise_trainers.data.tokenization import Span, TokenSequence
from rise_trainers.policies.policy_sample import policy_sample


def target(agent: str, turn: int = 0) -> TrainingTarget:
    return TrainingTarget(
        trajectory="t", problem="p", turn=turn, start=(), history=(), reply="r", reward=0.0, agent=agent
    )


def test_log_probabilities_of_another_model_are_unknown() -> None:
    targets = [target("base"), target("teacher", turn=1)]
    spans = [Span(0, 1, 3, (-0.5, -1.0)), Span(1, 5, 6, (-2.0,))]
    [found] = policy_sample(
        [TokenSequence([7, 8, 9, 1, 2, 3], spans)], targets, first_model="base", limit=3, seed=0
    )
    assert found.example.coefficients.tolist() == [0, 1, 1, 0, 0, 1]
    assert found.turns.tolist() == [0, 0, 1]
    np.testing.assert_array_equal(found.logprobs, np.array([-0.5, -1.0, np.nan], dtype=np.float32))


def test_sequences_of_the_first_model_are_drawn_before_others_and_a_seed_draws_the_same() -> None:
    targets = [target("base" if place % 10 == 0 else "teacher") for place in range(100)]
    sequences = [TokenSequence([place, 1], [Span(place, 1, 2, (-1.0,))]) for place in range(100)]

    def drawn(limit: int, seed: int) -> list[int]:
        found = policy_sample(sequences, targets, first_model="base", limit=limit, seed=seed)
        return [int(sequence.example.ids[0]) for sequence in found]

    assert set(drawn(10, 0)) == set(range(0, 100, 10))
    assert set(range(0, 100, 10)) < set(drawn(30, 0))
    assert drawn(30, 0) == drawn(30, 0) != drawn(30, 1)
    assert drawn(0, 0) == []
