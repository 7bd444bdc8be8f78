"""How often each policy of a memory holds what is needed, over streams of families, without a model.

    python -m rise_benchmarks.learning.streams --output benchmarks/results/memory.md

Each problem of a stream belongs to a family. It is a hit if an item of its family is held; else an item is
remembered. The best possible policy (Belady) knows the future: it drops the item that is needed last.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from rise_agents.memory.items import Memory, remember, tick, use
from rise_agents.memory.settings import MemorySettings

PROBLEMS, SEEDS = 2000, (100, 101, 102)
CAPACITIES = (10, 40)
ROWS: dict[str, dict[str, object]] = {
    "all": {"policy": "all"},
    "fifo": {"policy": "fifo"},
    "lru": {"policy": "lru"},
    "ebbinghaus, without rehearsal": {"policy": "ebbinghaus", "rehearse": False},
    "ebbinghaus": {"policy": "ebbinghaus"},
    "ebbinghaus, without a cap": {"policy": "ebbinghaus", "strength_most": 1e9},
}


def stream(name: str, seed: int, problems: int = PROBLEMS) -> list[int]:
    """Return the families of a stream: "zipf" over 200, "half" from 25 and half never again, or "drift"."""
    draws = np.random.default_rng(np.random.SeedSequence((seed, len(name))))
    if name == "zipf":
        weights = 1 / np.arange(1, 201)
        return [int(one) for one in draws.choice(200, size=problems, p=weights / weights.sum())]
    found = []
    for place in range(problems):
        first = place // 250 * 25 if name == "drift" else 0
        known = draws.random() < 0.5
        found.append(int(first + draws.integers(25)) if known else 10_000 + place)
    return found


def hit_rate(families: Sequence[int], settings: MemorySettings) -> float:
    """Return the share of problems whose family is held."""
    memory, hits = Memory(settings), 0
    for family in families:
        held = [item.number for item in memory.items if item.text == str(family)]
        hits += bool(held)
        memory = use(memory, held, success=True)
        memory = memory if held else remember(memory, str(family), "")
        memory = tick(memory)
    return hits / len(families)


def best_possible(families: Sequence[int], capacity: int) -> float:
    """Return the hit rate of the policy that knows the future (Belady)."""
    later: dict[int, list[int]] = {}
    for place in reversed(range(len(families))):
        later.setdefault(families[place], []).append(place)
    held: set[int] = set()
    hits = 0
    for family in families:
        later[family].pop()
        hits += family in held
        held.add(family)
        if len(held) > capacity:
            held.remove(max(held, key=lambda one: later[one][-1] if later[one] else len(families)))
    return hits / len(families)


def table(problems: int = PROBLEMS, seeds: Sequence[int] = SEEDS) -> str:
    """Return the table of hit rates in Markdown."""
    names = ("zipf", "half", "drift")
    lines = [
        f"Hit rates over {problems} problems, mean of {len(seeds)} seeds; capacity "
        f"{' / '.join(map(str, CAPACITIES))}. zipf: 200 families; half: half of the problems are from 25 "
        "families, the others never again; drift: the same, with other families after every 250 problems.",
        "",
        "| policy | " + " | ".join(names) + " |",
        "| --- | " + " | ".join(["---"] * len(names)) + " |",
    ]
    streams = {name: [stream(name, seed, problems) for seed in seeds] for name in names}
    for label, changes in ROWS.items():
        settings = [MemorySettings(**{**changes, "capacity": size}) for size in CAPACITIES]  # type: ignore[arg-type]
        cells = [
            " / ".join(
                f"{np.mean([hit_rate(one, chosen) for one in streams[name]]):.3f}" for chosen in settings
            )
            for name in names
        ]
        lines.append(f"| {label} | " + " | ".join(cells) + " |")
    cells = [
        " / ".join(
            f"{np.mean([best_possible(one, size) for one in streams[name]]):.3f}" for size in CAPACITIES
        )
        for name in names
    ]
    return "\n".join([*lines, "| best possible | " + " | ".join(cells) + " |"])


def main(argv: Sequence[str] | None = None) -> None:
    """Measure, print, and write the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--output", type=Path, help="Markdown file to write the table to")
    given = parser.parse_args(argv)
    text = table()
    print(text)
    if given.output:
        given.output.write_text(f"# What the policies of a memory keep\n\n{text}\n")


if __name__ == "__main__":
    main()
