"""`rise store`: show, check again, export, import, merge and repair stores of trajectories."""

import argparse
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path

from rise_env.envs.rewards import SCHEMES, get_rewards
from rise_env.errors import ConfigError
from rise_env.trajectories.export.formats import FORMATS
from rise_env.trajectories.export.writers import WRITERS, write_rows
from rise_env.trajectories.line_files import INCOMPLETE
from rise_env.trajectories.merge import merge
from rise_env.trajectories.recheck import Changes, recheck
from rise_env.trajectories.released_rise_logs import SOURCE, read_released_log
from rise_env.trajectories.repair import DAMAGED, REPEATED, repair
from rise_env.trajectories.store import TrajectoryStore, read_run, read_trajectories
from rise_env.types import Trajectory

STORE_HELP = "file of trajectories, as `rise collect` writes it"


def main(argv: Sequence[str]) -> int:
    """Run `rise store`; return the exit code."""
    arguments = _parser().parse_args(argv)
    run: Callable[[argparse.Namespace], int] = arguments.run
    return run(arguments)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("rise store", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="command")

    info = commands.add_parser("info", help="print the settings of the run and a summary of its episodes")
    info.add_argument("store", help=STORE_HELP)
    info.set_defaults(run=_info)

    show = commands.add_parser("show", help="print episodes")
    show.add_argument("store", help=STORE_HELP)
    show.add_argument("--id", help="print only episodes whose id begins with this text")
    show.add_argument("--failed", action="store_true", help="print only episodes that failed")
    show.add_argument(
        "--start", type=int, default=0, help="number of matching episodes to skip (default: %(default)s)"
    )
    show.add_argument(
        "--limit", type=int, default=1, help="largest number of episodes to print (default: %(default)s)"
    )
    show.set_defaults(run=_show)

    again = commands.add_parser("recheck", help="check stored replies with another checker")
    again.add_argument("store", help=STORE_HELP)
    again.add_argument("--checker", required=True, help="name of the checker: numeric, symbolic, ...")
    again.add_argument(
        "--rewards",
        default="gsm8k",
        help=f"reward scheme for replies whose verdict changed: {', '.join(SCHEMES)} (default: %(default)s)",
    )
    again.add_argument(
        "--out", help="new store for the episodes with the new verdicts; by default none is written"
    )
    again.add_argument(
        "--examples",
        type=int,
        default=5,
        help="number of replies with a changed verdict to print (default: %(default)s)",
    )
    again.set_defaults(run=_recheck)

    export = commands.add_parser("export", help="write rows for other training libraries")
    export.add_argument("store", help=STORE_HELP)
    export.add_argument(
        "--format", required=True, choices=FORMATS, help="what a row holds; see docs/agents.md"
    )
    export.add_argument(
        "--out", required=True, help=f"new file ({', '.join(filter(None, WRITERS))}), or a new folder"
    )
    export.set_defaults(run=_export)

    into = commands.add_parser("import", help="read a log of the released RISE code into a store")
    into.add_argument("log", help="JSON file that workflow_gen.py or workflow_eval.py of cmu-mind/RISE wrote")
    into.add_argument("--out", required=True, help="new store for the episodes")
    into.add_argument(
        "--agent", default="unknown", help="name of the agent that gave the replies (default: %(default)s)"
    )
    into.set_defaults(run=_import)

    mend = commands.add_parser(
        "repair", help="move damaged lines and repeated episodes of a store into files beside it"
    )
    mend.add_argument("store", help=STORE_HELP)
    mend.set_defaults(run=_repair)

    several = commands.add_parser(
        "merge", help="merge several stores into a new one; every episode is kept once"
    )
    several.add_argument("stores", nargs="+", help="stores, whose first episode of each id is kept")
    several.add_argument("--out", required=True, help="new store for all episodes")
    several.add_argument(
        "--drop_failed",
        "--drop-failed",
        action="store_true",
        help="leave out failed episodes, so that the run plays them again",
    )
    several.set_defaults(run=_merge)
    return parser


def _info(arguments: argparse.Namespace) -> int:
    from rise_env.cli.store_info import info_lines

    print("\n".join(info_lines(arguments.store)))
    return 0


def _show(arguments: argparse.Namespace) -> int:
    if arguments.start < 0 or arguments.limit < 1:
        raise ConfigError(
            f"--start must be at least 0 and --limit at least 1, got {arguments.start} and {arguments.limit}"
        )
    wanted = (
        trajectory
        for trajectory in read_trajectories(arguments.store)
        if (not arguments.failed or trajectory.error is not None)
        and (arguments.id is None or trajectory.id.startswith(arguments.id))
    )
    shown = 0
    for trajectory in islice(wanted, arguments.start, arguments.start + arguments.limit):
        print("\n".join(_transcript(trajectory)))
        shown += 1
    if not shown:
        raise ConfigError(f"{arguments.store} has no episode that matches --id, --failed and --start")
    return 0


def _transcript(trajectory: Trajectory) -> list[str]:
    problem = trajectory.problem
    lines = [f"== {trajectory.id} · {problem.id} · reference {problem.reference} · seed {trajectory.seed}"]
    for number, turn in enumerate(trajectory.turns):
        lines.append(f"-- turn {number + 1}: {turn.observation[-1]['content']}")
        for place, attempt in enumerate(turn.attempts):
            mark = ">" if place == turn.chosen else " "
            check = attempt.check
            found = "" if check.answer is None else f" {check.answer!r}"
            if attempt.reasoning:
                lines.append(f"{mark} [{attempt.agent} thought] {attempt.reasoning}")
            lines.append(
                f"{mark} [{attempt.agent}: {check.verdict.value}{found}, {attempt.reward:g}] {attempt.reply}"
            )
    ends = {"solved": trajectory.terminated, "turn limit reached": trajectory.truncated}
    lines += [f"-- {end}" for end, true in ends.items() if true]
    if trajectory.error is not None:
        lines.append(f"-- failed: {trajectory.error}")
    return lines


def _recheck(arguments: argparse.Namespace) -> int:
    from rise_env.registration import get_checker

    checker, rewards, changes = get_checker(arguments.checker), get_rewards(arguments.rewards), Changes()
    rechecked = recheck(
        read_trajectories(arguments.store), checker, rewards, changes, examples=arguments.examples
    )
    if arguments.out:
        record = {**read_run(arguments.store), "rechecked": arguments.checker}
        with _written_completely(arguments.out) as partial, TrajectoryStore(partial, record) as store:
            while chunk := list(islice(rechecked, 1024)):
                store.append(chunk)
    else:
        for _ in rechecked:
            pass
    print(f"{changes.changed} of {changes.checked} replies have another verdict")
    for (before, now), count in changes.counts.most_common():
        print(f"  {before.value} -> {now.value}: {count}")
    for trajectory, turn, place, now in changes.examples:
        attempt = trajectory.turns[turn].attempts[place]
        print(
            f"  {trajectory.id} turn {turn + 1}: {attempt.check.verdict.value} -> {now.value}, "
            f"reference {trajectory.problem.reference!r}, reply ends {attempt.reply[-80:]!r}"
        )
    return 0


def _export(arguments: argparse.Namespace) -> int:
    make_rows = FORMATS[arguments.format]
    count = write_rows(lambda: make_rows(read_trajectories(arguments.store)), Path(arguments.out))
    print(f"{count} rows in {arguments.out}")
    return 0


def _import(arguments: argparse.Namespace) -> int:
    record = {"imported": SOURCE, "agent": arguments.agent}
    with _written_completely(arguments.out) as partial:
        episodes = list(read_released_log(arguments.log, agent=arguments.agent))
        with TrajectoryStore(partial, record) as store:
            count = store.append(episodes)
    print(f"{count} episodes in {arguments.out}")
    return 0


def _repair(arguments: argparse.Namespace) -> int:
    done = repair(arguments.store)
    print(f"{done.kept} episodes in {arguments.store}")
    for count, what, suffix in (
        (done.damaged, "damaged lines", DAMAGED),
        (done.repeated, "repeated episodes", REPEATED),
        (done.incomplete, "incomplete last line", INCOMPLETE),
    ):
        if count:
            print(f"{count} {what} moved to {arguments.store}.{suffix}")
    return 0


def _merge(arguments: argparse.Namespace) -> int:
    with _written_completely(arguments.out) as partial:
        count = merge(arguments.stores, partial, drop_failed=arguments.drop_failed)
    print(f"{count} episodes in {arguments.out}")
    return 0


@contextmanager
def _written_completely(out: str) -> Iterator[Path]:
    """Yield a path beside `out` to write to. It is renamed to `out` at the end, or removed after an error."""
    partial = Path(f"{out}.partial")
    _require_absent(out)
    if partial.exists():
        raise ConfigError(
            f"{partial} exists: another process is writing it, or was killed while it wrote. Wait for the "
            "process, or remove the file if there is none"
        )
    try:
        yield partial
        _require_absent(out)
        partial.rename(out)
    finally:
        with suppress(OSError):  # it was renamed, or never created
            partial.unlink()


def _require_absent(out: str) -> None:
    if Path(out).exists():
        raise ConfigError(f"{out} exists already; choose another name")
