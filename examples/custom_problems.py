r"""Play your own problems, read from a file.

Needs no model and no download:

    python examples/custom_problems.py

Prints each problem, a reply without an answer and a right reply, and what an audit of the file finds.
"""

import json
import subprocess
import sysconfig
import tempfile
from pathlib import Path

import rise_env

ROWS = [
    {"problem": "What is $\\frac{1}{2} + \\frac{1}{3}$?", "solution": r"In sixths: $\boxed{\frac{5}{6}}$."},
    {"problem": "Solve $x^2 = 9$ for positive $x$.", "solution": r"$x = \boxed{3}$."},
]


def main() -> None:
    """Write a file, play it, audit it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "own.jsonl"
        path.write_text("".join(json.dumps(row) + "\n" for row in ROWS))
        env = rise_env.make("RISE-Custom-v0", dataset=str(path), shuffle=False, feedback="hint", max_turns=2)
        for reply in (r"\boxed{0.8\overline{3}}", r"\boxed{x = 3}"):
            observation, info = env.reset()
            print(info["problem_id"], observation[-1]["content"].splitlines()[0])
            for action in ("No idea.", reply):
                _, reward, _, _, info = env.step(action)
                print(f"  {action!r}: {info['verdict']}, reward {reward:g}", flush=True)
        rise = Path(sysconfig.get_path("scripts")) / "rise"
        subprocess.run([rise, "problems", "audit", "Custom", "--dataset", path], check=True)


if __name__ == "__main__":
    main()
