"""The self-correction card, worked out by hand."""

from dataclasses import replace

import numpy as np
import pytest

from rise_env.metrics.policy_results import PolicyResults, policy_results
from rise_env.metrics.reply_arrays import by_draw, by_turn
from rise_env.metrics.report_row import row
from rise_env.metrics.report_table import long_rows
from rise_env.metrics.self_correction.card import card, card_gains, text, total_cells, turn_cells
from rise_env.metrics.self_verification import verification_check
from rise_env.types import Trajectory
from tests.rise_env.episodes import attempt, parallel, sequential

# "2" is right: wrong right wrong; right right right; wrong and the same again; no answer, then wrong
RUN = [
    sequential("1", "2", "3", problem="p"),
    sequential("2", "2", "2", problem="q"),
    sequential("1", "1", "1", problem="r"),
    sequential(None, "2", "1", problem="s"),
]


def of(run: list[Trajectory], **others: list[Trajectory]) -> PolicyResults:
    draws = [parallel("2", problem=episode.problem.id) for episode in run]
    tables = {name: [by_turn(episodes, 4)] for name, episodes in others.items()}
    return policy_results([by_turn(run, 3, edits=True)], [by_draw(draws, 1)], tables)


def with_replies(episode: Trajectory, **changes: object) -> Trajectory:
    """Return an episode with other fields in all its replies; a list has one value per turn."""
    turns = []
    for number, turn in enumerate(episode.turns):
        own = {key: value[number] if isinstance(value, list) else value for key, value in changes.items()}
        turns.append(replace(turn, attempts=(replace(turn.attempts[0], **own),)))
    return replace(episode, turns=tuple(turns))


def totals(results: PolicyResults) -> dict[str, float | None]:
    return {key: value["mean"] for key, value in card(results)["total"].items()}


def by_turns(results: PolicyResults, key: str) -> list[float | None]:
    return [value["mean"] for value in card(results)["by_turn"][key]]


def test_the_deltas_of_score_are_shares_of_all_problems() -> None:
    found = totals(of(RUN))
    assert (found["accuracy_t1"], found["accuracy_t3"]) == (0.25, 0.25)
    assert (found["delta_t1_t2"], found["delta_t1_t3"]) == (0.5, 0.0)
    assert (found["delta_ic_t1_t2"], found["delta_ic_t1_t3"]) == (0.5, 0.0)
    assert (found["delta_ci_t1_t2"], found["delta_ci_t1_t3"]) == (0.0, 0.0)
    assert by_turns(of(RUN), "delta") == [0.5, 0.0]
    lost = totals(of([sequential("2", "1", "2", problem="p"), sequential("2", "2", "1", problem="q")]))
    assert (lost["delta_ci_t1_t2"], lost["delta_t1_t2"]) == (0.5, -0.5)


def test_recovered_and_lost_are_shares_of_all_problems_and_the_rates_are_not() -> None:
    assert by_turns(of(RUN), "recovered") == [0.5, 0.0]
    assert by_turns(of(RUN), "lost") == [0.0, 0.5]
    # of three wrong replies, two become right; of three right ones, two become wrong
    assert by_turns(of(RUN), "ecr") == [pytest.approx(2 / 3, abs=1e-6), 0.0]
    assert by_turns(of(RUN), "eir") == [0.0, pytest.approx(2 / 3, abs=1e-6)]
    assert totals(of(RUN))["ecr"] == 0.5  # of 3 + 1 wrong replies
    assert totals(of(RUN))["eir"] == 0.5  # of 1 + 3 right replies


def test_wrong_answers_are_repeated_and_missing_ones_are_not() -> None:
    # r repeats twice; p changes once, from a wrong answer that is followed by a turn
    assert totals(of(RUN))["repeated"] == pytest.approx(2 / 3, abs=1e-6)
    assert by_turns(of(RUN), "repeated") == [0.5, 1.0]


def test_the_edit_distance_compares_each_reply_with_the_one_before() -> None:
    [episode] = [with_replies(RUN[0], reply=["so it is 1", "so it is 2", "no"])]
    assert by_turns(of([episode]), "edit_distance") == [0.25, 1.0]
    assert totals(of([episode]))["edit_distance"] == 0.625


def test_edit_distances_are_left_out_where_they_were_not_computed() -> None:
    results = policy_results([by_turn(RUN, 3)], [by_draw([parallel("2", problem=i) for i in "pqrs"], 1)])
    assert "edit_distance" not in card(results)["total"]


def test_turns_to_success_are_those_of_the_solved_problems() -> None:
    assert totals(of(RUN))["turns_to_success"] == pytest.approx((2 + 1 + 2) / 3, abs=1e-6)
    assert totals(of([sequential("1", "1", "1")]))["turns_to_success"] is None


def test_cut_and_unreadable_replies_are_counted_at_each_turn() -> None:
    run = [with_replies(RUN[0], finish=["stop", "length", "length"]), *RUN[1:]]
    assert by_turns(of(run), "cut") == [0.0, 0.25, 0.25]
    assert totals(of(run))["cut"] == pytest.approx(2 / 12, abs=1e-6)
    assert by_turns(of(RUN), "unreadable") == [0.25, 0.0, 0.0]


def test_replies_that_were_not_given_are_in_no_denominator() -> None:
    ended = [sequential("1", "2", problem="p"), sequential(None, "2", "2", problem="q")]
    assert totals(of(ended))["unreadable"] == 0.2
    assert totals(of(ended))["cut"] == 0.0


def test_tokens_add_up_over_the_turns() -> None:
    assert by_turns(of(RUN), "tokens") == [10.0, 20.0, 30.0]
    assert totals(of(RUN))["tokens"] == 30.0


def test_the_entropy_is_the_mean_surprisal_of_the_sampled_tokens() -> None:
    run = [with_replies(RUN[0], logprobs=[(-1.0, -2.0), (-0.5,), ()])]
    assert by_turns(of(run), "entropy") == [1.5, 0.5, None]
    assert totals(of(run))["entropy"] == pytest.approx(3.5 / 3, abs=1e-6)
    assert "entropy" not in card(of(RUN))["total"]


def test_self_verification_is_in_the_card_if_it_was_played() -> None:
    says_yes = [attempt("2"), replace(attempt("2"), check=verification_check(1.0, correct=True))]
    says_no = [attempt("1"), replace(attempt("1"), check=verification_check(0.0, correct=False))]
    wrong_yes = [attempt("1"), replace(attempt("1"), check=verification_check(1.0, correct=False))]
    played = {"p": [*says_no, *says_yes], "q": says_yes, "r": wrong_yes, "s": [*says_no, *says_no]}
    episodes = []
    for problem, attempts in played.items():
        episode = sequential(*["1"] * len(attempts), problem=problem)
        turns = zip(episode.turns, attempts, strict=True)
        episodes.append(replace(episode, turns=tuple(replace(turn, attempts=(one,)) for turn, one in turns)))
    found = totals(of(RUN, self_verify=episodes))
    assert found["self_verify_stopped"] == 0.75
    assert found["self_verify_accuracy_at_stop"] == 0.5
    assert found["self_verify_precision"] == pytest.approx(2 / 3, abs=1e-6)
    assert found["self_verify_recall"] == 1.0
    assert "self_verify_recall" not in totals(of(RUN))


def test_gains_are_paired_by_problem_for_shares_and_for_rates() -> None:
    better = [sequential("1", "2", "2", problem=name) for name in "prs"] + [RUN[1]]
    gains = card_gains(of(RUN), of(better))
    assert gains["delta_t1_t3"]["mean"] == 0.75
    assert gains["ecr"]["mean"] == pytest.approx(1.0 - 0.5, abs=1e-6)
    assert gains["eir"] == {"mean": -0.5, "low": pytest.approx(-1.0, abs=0.4), "high": 0.0}
    assert card_gains(of(RUN), of(RUN[::-1]))["ecr"] == {"mean": 0.0, "low": 0.0, "high": 0.0}
    assert "entropy" not in gains


def test_one_turn_has_a_card_without_steps() -> None:
    single = policy_results([by_turn([sequential("2")], 1, edits=True)], [by_draw([parallel("2")], 1)])
    found = card(single)
    assert found["by_turn"]["delta"] == []
    assert found["total"]["accuracy_t1"]["mean"] == 1.0
    assert "delta_t1_t2" not in found["total"]
    assert found["total"]["ecr"]["mean"] is None


def test_the_tables_show_every_measure_with_its_interval_and_the_difference() -> None:
    base = of(RUN)
    report = {"turns": 3, "num_samples": 1, "rows": [row("base", base), row("again", base, base)]}
    head, *body = total_cells(report)
    assert head == ["", "base", "again"]
    lines = {line[0]: line[1:] for line in body}
    first, second = lines["Δ(t1,t2)"]
    assert first.startswith("50.0 ± ")
    assert second == f"{first} (+0.0 ± 0.0)"
    assert "entropy, nats per token" not in lines
    turns = {line[0]: line[1:] for line in turn_cells(report["rows"][0], 3)}
    assert turns["recovered"][0] == ""
    assert turns["recovered"][2] == "0.0 ± 0.0"
    assert turns["tokens so far"] == ["10 ± 0", "20 ± 0", "30 ± 0"]


def test_numbers_are_written_in_their_unit() -> None:
    value = {"mean": 1234.5, "low": 1200.0, "high": 1300.0}
    assert text(value, "tokens") == "1,234 ± 50"
    assert text({"mean": 0.5, "low": 0.25, "high": 0.75}, "number", signed=True) == "+0.50 ± 0.25"
    assert text({"mean": None, "low": None, "high": None}, "percent") == "–"


def test_every_value_of_the_card_is_in_the_long_table() -> None:
    base = of(RUN)
    rows = {line[:3]: line[3] for line in long_rows({"rows": [row("base", base, base)]})}
    assert rows["base", "self_correction/total/delta_t1_t2", None] == 0.5
    assert rows["base", "self_correction/by_turn/recovered", 1] == 0.5
    assert rows["base", "gain self_correction/ecr", None] == 0.0


def test_values_over_seeds_are_pooled() -> None:
    other = [sequential("2", "2", "2", problem=name) for name in "pqrs"]
    draws = [parallel("2", problem=name) for name in "pqrs"]
    both = policy_results(
        [by_turn(RUN, 3, edits=True), by_turn(other, 3, edits=True)], [by_draw(draws, 1), by_draw(draws, 1)]
    )
    assert both.correct.shape == (2, 4, 3)
    assert totals(both)["accuracy_t1"] == 0.625
    assert not np.isnan(both.sequential[0].edits[:, 1:]).any()
