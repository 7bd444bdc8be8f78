"""Trajectories for tests of the store."""

from rise_env.types import Attempt, CheckResult, Conversation, Problem, Trajectory, Turn, Usage, Verdict


def trajectory(index: int, turns: int = 2, window: int = 0) -> Trajectory:
    """Return a made-up episode; with a window the agent sees the problem and the last messages only."""
    question = f"What is {index} + {index}?"
    everything: Conversation = ({"role": "user", "content": question},)
    played = []
    for turn in range(turns):
        check = CheckResult(Verdict.WRONG, str(turn), "integer", 1e-5)
        reply = f"It is {turn}. \\boxed{{{turn}}}"
        attempt = Attempt(
            agent="a", reply=reply, check=check, reward=0.0, usage=Usage(completion_tokens=turn)
        )
        seen = everything
        if window and len(everything) > window + 1:
            seen = (everything[0], *everything[-window:])
        played.append(Turn(observation=seen, attempts=(attempt,)))
        everything = (
            *everything,
            {"role": "assistant", "content": reply},
            {"role": "user", "content": "Again."},
        )
    problem = Problem(id=f"sums/{index}", question=question, reference=str(2 * index), meta={"level": 1})
    return Trajectory(id=f"{index:024x}", problem=problem, turns=tuple(played), seed=3, truncated=True)
