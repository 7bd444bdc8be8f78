from typing import Any

from rise_env.metrics.budgets.search_quality import cells, search_quality
from rise_env.types import Attempt, CheckResult, Problem, Trajectory, Turn, Usage, Verdict


def attempt(right: bool, **fields: Any) -> Attempt:
    verdict = Verdict.CORRECT if right else Verdict.WRONG
    return Attempt(agent="a", reply="x", check=CheckResult(verdict, "4"), reward=float(right), **fields)


def episode(number: int, right: bool, others: tuple[bool, ...], **record: float) -> Trajectory:
    messages = ({"role": "search", **record},) if record else ()
    given = attempt(right, messages=messages, usage=Usage(completion_tokens=60))
    turn = Turn(observation=(), attempts=(given,), considered=tuple(map(attempt, others)))
    problem = Problem(id=f"p{number}", question="?", reference="4")
    return Trajectory(id=str(number), problem=problem, turns=(turn,), seed=0, terminated=True)


def test_a_row_has_what_its_searches_found_whatever_the_order_of_the_log() -> None:
    record = {"simulations": 6, "rounds": 8, "draws": 6, "merged": 2, "depth": 2.0}
    log = [
        episode(1, False, (False, True), **record),
        episode(0, True, (), **(record | {"merged": 4, "depth": 1.0})),
        episode(2, False, (False,), **record),
    ]
    found = search_quality("search", [log, log[::-1]], ["p0", "p1", "p2"])
    assert found is not None
    assert round(found["p@considered"]["mean"], 3) == 0.667
    assert (found["simulations"], found["rounds"], found["tokens"]) == (6, 8, 10)
    assert round(found["merged"], 3) == 0.444
    assert cells([found])[1][:1] + cells([found])[1][2:] == ["search", "6.0", "8.0", "44 %", "1.7", "10.0"]


def test_rows_without_a_search_have_no_such_line() -> None:
    assert search_quality("base", [[episode(0, True, ())]], ["p0"]) is None


def test_replies_of_stores_without_records_are_still_counted() -> None:
    found = search_quality("old", [[episode(0, False, (True,))]], ["p0"])
    assert found is not None
    assert found["p@considered"]["mean"] == 1
    assert cells([found])[1][2:] == ["–"] * 5
