"""Ends the real `rise run` by SIGKILL and SIGTERM at random moments, and compares the outcome.

    python -m tests.rise_trainers.run_kills --kills 20 --out FOLDER

A moment is a number of changes in the run folder, so that it does not depend on the speed of the machine.
"""

import argparse
import itertools
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from rise_env.trajectories.store import read_trajectories
from rise_env.types import Trajectory
from tests.waiting import PATIENCE_S

MARK = "RISE_TEST_RUN"
"""Environment variable by which all processes of one run are found, also those whose parents have ended."""
SETTINGS = [
    *("--iterations", "1", "--max_concurrent_episodes", "4", "--sampling.max_new_tokens", "64"),
    *("--problems.train", "16", "--problems.test", "8", "--improve.num_samples", "2", "--turns", "2"),
    *("--measure.turns", "2", "--measure.num_samples", "2"),
    *("--fit", '{"epochs": 1.5, "batch_size": 4, "learning_rate": 1e-4, "save_every": 1, "threads": 1}'),
]
LAST_PHASE = "phases/seed-0.1-evaluate.done"
MOST_CHANGES = 24
"""Changes of the folder that an attempt makes at most before it is ended."""


@dataclass(frozen=True)
class Ending:
    """One attempt that was ended by a signal."""

    sent: signal.Signals
    changes: int
    """Number of changes of the run folder until then."""
    last_changed: str
    """The file that changed last."""
    processes: int
    """Number of processes that the run had."""


def command(out: Path) -> list[str]:
    """Return the command of the run."""
    return [sys.executable, "-m", "rise_env.cli.main", "run", *SETTINGS, "--out", str(out)]


def whole_run(out: Path) -> None:
    """Run until the end."""
    done = subprocess.run(command(out), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]


def ended_run(out: Path, sent: signal.Signals, changes: int) -> Ending | None:
    """Start the run, end it after some changes of its folder, and check that no process is left.

    Returns:
        What was ended; None if the run came to its own end before.
    """
    mark = f"{os.getpid()}-{time.monotonic_ns()}"
    process = subprocess.Popen(
        command(out),
        env={**os.environ, MARK: mark},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    before, seen, last = _snapshot(out), 0, ""
    deadline = time.monotonic() + PATIENCE_S
    while seen < changes and process.poll() is None:
        assert time.monotonic() < deadline
        now = _snapshot(out)
        if now != before:
            last = max(now.items() - before.items(), key=lambda item: item[1][1], default=(last, None))[0]
            before, seen = now, seen + 1
        time.sleep(0.005)
    if process.poll() is not None:
        assert process.returncode == 0, process.communicate()[1].decode()[-2000:]
        return None
    count = len(marked(mark))
    process.send_signal(sent)
    process.wait(PATIENCE_S)
    deadline = time.monotonic() + PATIENCE_S
    while left := marked(mark):
        assert time.monotonic() < deadline, f"left over after {sent.name}: {left}"
        time.sleep(0.05)
    return Ending(sent, seen, last, count)


def marked(mark: str) -> list[psutil.Process]:
    """Return the living processes of a run."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.status() != psutil.STATUS_ZOMBIE and process.environ().get(MARK) == mark:
                found.append(process)
        except psutil.Error:
            continue
    return found


def _snapshot(out: Path) -> dict[str, tuple[int, int]]:
    """Return path -> (size, time of change) of all files."""
    found = {}
    for folder, _, files in os.walk(out):  # unlike rglob, it passes over a folder that was just removed
        for name in files:
            path = Path(folder, name)
            try:
                state = path.stat()
            except OSError:  # it was removed in between
                continue
            found[str(path.relative_to(out))] = (state.st_size, state.st_mtime_ns)
    return found


def compare(out: Path, whole: Path) -> None:
    """Check that a run has the weights, the episodes and the steps of another one."""
    weights = Path("seed-0/iteration-1/model/model.safetensors")
    assert (out / weights).read_bytes() == (whole / weights).read_bytes(), "other weights"
    found = [*whole.glob("evaluate/**/*.jsonl"), *whole.glob("seed-0/**/trajectories.jsonl")]
    stores = sorted(path.relative_to(whole) for path in found)
    assert len(stores) == 5
    for store in stores:
        mine, other = episodes(out / store), episodes(whole / store)
        assert len({episode.id for episode in mine}) == len(mine), f"{store} holds an episode twice"
        assert [replies(episode) for episode in mine] == [replies(episode) for episode in other], store
    mine, other = logged(out), logged(whole)
    assert Counter(mine) == Counter(other), "other lines of metrics"
    assert [step for _, step in mine if step] == [step for _, step in other if step]


def episodes(store: Path) -> list[Trajectory]:
    """Return the episodes of a store in the order of their problems."""
    return sorted(read_trajectories(store), key=lambda episode: (episode.problem.id, episode.id))


def replies(episode: Trajectory) -> tuple[str, list[str]]:
    """Return the problem and all replies of an episode."""
    return episode.problem.id, [attempt.reply for turn in episode.turns for attempt in turn.attempts]


def logged(out: Path) -> list[tuple[str, int | None]]:
    """Return the phase of each line of the run's metrics, and the step of the fit where it has one."""
    lines = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    return [(line["phase"], line.get("train/step")) for line in lines]


def end_often(folder: Path, kills: int, seed: int) -> list[Ending]:
    """End runs until `kills` signals were sent; compare each run that comes to its end with a whole one.

    Args:
        folder: A new folder for the runs.
        kills: Number of signals, SIGKILL and SIGTERM in turn.
        seed: Seed of the moments.
    """
    rng = random.Random(seed)
    whole = folder / "whole"
    whole_run(whole)
    endings: list[Ending] = []
    for number in itertools.count():
        out = folder / f"run-{number}"
        # when all phases are done, only the report is left: it is let alone, and the next run begins
        while len(endings) < kills and not (out / LAST_PHASE).exists():
            sent = (signal.SIGKILL, signal.SIGTERM)[len(endings) % 2]
            ending = ended_run(out, sent, rng.randint(0, MOST_CHANGES))
            if ending is None:
                break
            endings.append(ending)
            print(f"{len(endings):>2} {out.name} {ending}", flush=True)
        whole_run(out)
        compare(out, whole)
        print(f"{out.name} has the weights, episodes and metrics of a whole run", flush=True)
        if len(endings) == kills:
            break
    return endings


def main(argv: Sequence[str] | None = None) -> None:
    """Run the command line; see the docstring of this module."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args(argv)
    given.out.mkdir(parents=True)
    end_often(given.out, given.kills, given.seed)


if __name__ == "__main__":
    main()
