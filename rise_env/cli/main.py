"""`rise <command>`: which command lives where. A command's module is imported only when it is asked for.

Exit codes: 0 done; 1 the command ran and found something wrong; 2 bad input (one line on stderr says
what and how to mend it); 130 interrupted.
"""

import difflib
import importlib
import sys
from collections.abc import Sequence
from pathlib import Path

from rise_env.cli.log_filters import quiet
from rise_env.errors import RiseError

COMMANDS: dict[str, tuple[str, str]] = {
    "run": ("rise_trainers.self_improve:main", "play, fit, evaluate, repeat: the RISE loop; resumes"),
    "collect": ("rise_agents.cli.collect:main", "let an agent play many problems; keep the trajectories"),
    "fit": ("rise_trainers.fit.fit:main", "one reward-weighted fit on stored trajectories"),
    "mask": ("rise_trainers.cli.mask:main", "which tokens of stored trajectories are trained, in colour"),
    "evaluate": ("rise_agents.cli.evaluate:main", "m1@t1, m5@t1, m1@t5, p1@t5 of one or more agents"),
    "problems": ("rise_env.cli.problems:main", "the problem sets: list, show, audit"),
    "envs": ("rise_env.cli.envs:main", "every environment id and where its problems come from"),
    "play": ("rise_env.cli.play:main", "play an episode yourself"),
    "check": ("rise_env.cli.check:main", "check one reply against a reference, step by step"),
    "checkers": ("rise_benchmarks.checkers.compare:main", "score answer checkers on labelled cases"),
    "store": ("rise_env.cli.store:main", "look into stores; recheck, export, import, merge them"),
    "report": (
        "rise_benchmarks.report.report:main",
        "table, figures and a page to browse, of runs or evaluations",
    ),
    "bench": ("rise_benchmarks.bench:main", "a suite: the paper's tables, transfer, the embedded experiment"),
}
"""Command -> ("module:function", one line of help). The function takes the remaining arguments."""


def _help() -> str:
    lines = [f"  {name:<10} {text}" for name, (_, text) in COMMANDS.items()]
    return "\n".join(["usage: rise <command> [options]", "", *lines, "", "rise <command> --help says more."])


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; without arguments, that of this process, as a program."""
    if argv is None:
        quiet()
        sys.path.append(str(Path.cwd()))  # where module:factory of one's own lies; behind what is installed
    arguments = list(sys.argv[1:] if argv is None else argv)
    if not arguments or arguments[0] in {"-h", "--help", "help"}:
        print(_help())
        return 0
    name, rest = arguments[0], arguments[1:]
    if name not in COMMANDS:
        near = difflib.get_close_matches(name, COMMANDS, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(COMMANDS)}"
        print(f"rise: no command {name!r}; {hint}", file=sys.stderr)
        return 2
    module, function = COMMANDS[name][0].split(":")
    try:
        return int(getattr(importlib.import_module(module), function)(rest) or 0)
    except RiseError as error:
        print(f"rise {name}: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:  # whoever read our output has seen enough: rise envs | head
        sys.stdout = None
        return 0
    except KeyboardInterrupt:
        print(f"rise {name}: interrupted; the same command continues", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
