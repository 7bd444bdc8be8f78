"""Episodes for tests of reflections."""

from rise_env.types import Attempt, CheckResult, Problem, Trajectory, Turn, Verdict


def wrong_episode(problem: Problem) -> Trajectory:
    """Return an episode of one turn with a wrong reply."""
    attempt = Attempt(agent="a", reply="\\boxed{1}", check=CheckResult(Verdict.WRONG, "1"), reward=0.0)
    turn = Turn(observation=({"role": "user", "content": problem.question},), attempts=(attempt,))
    return Trajectory(id="e", problem=problem, turns=(turn,), seed=0)
