"""Episodes written as answers: "2" is right, None states no answer."""

from rise_env.types import Attempt, CheckResult, Problem, Trajectory, Turn, Usage, Verdict

RIGHT = "2"


def attempt(answer: str | None, *, tokens: int = 10, reply: str | None = None) -> Attempt:
    if answer is None:
        check = CheckResult(Verdict.NO_ANSWER)
    else:
        check = CheckResult(Verdict.CORRECT if answer == RIGHT else Verdict.WRONG, answer)
    return Attempt(
        agent="a",
        reply=f"{answer}" if reply is None else reply,
        check=check,
        reward=float(check.correct),
        usage=Usage(prompt_tokens=100, completion_tokens=tokens),
    )


def sequential(*answers: str | None, problem: str = "p", tokens: int = 10) -> Trajectory:
    turns = tuple(Turn(observation=(), attempts=(attempt(a, tokens=tokens),)) for a in answers)
    return Trajectory(id=problem, problem=posed(problem), turns=turns, seed=0)


def parallel(*answers: str | None, problem: str = "p", tokens: int = 10) -> Trajectory:
    turn = Turn(observation=(), attempts=tuple(attempt(a, tokens=tokens) for a in answers))
    return Trajectory(id=problem, problem=posed(problem), turns=(turn,), seed=0)


def posed(problem: str) -> Problem:
    return Problem(id=problem, question="1+1?", reference=RIGHT)
