"""Every text that an environment says. Changing one changes the MDP: bump the environments' version."""

FIRST = "{question}\nSolve it step by step and put the final answer in \\boxed{{}}."
"""The first message."""

BLIND = "Please try again. The question was: {question}"
"""After every attempt, right or wrong: says nothing about it."""
