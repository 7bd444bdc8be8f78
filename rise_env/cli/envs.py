"""`rise envs`: lists every environment id with its problems and where they come from.

"never read here" marks the splits whose files were not available when their entry was written. Their rows are
read as the publisher describes them, and tests use rows of that form.
"""

import argparse
import json
from collections.abc import Sequence
from typing import Any

from rise_env.problems.loading import SETS, Loader
from rise_env.registration import env_id


def main(argv: Sequence[str]) -> int:
    """Run `rise envs`; return the exit code."""
    parser = argparse.ArgumentParser("rise envs", description="List every environment id with its problems.")
    parser.add_argument(
        "--data_dir", "--data-dir", help="folder of the problem sets; by default $RISE_DATA_DIR"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    arguments = parser.parse_args(argv)
    rows = [_row(name, loader, arguments.data_dir) for name, loader in SETS.items()]
    if arguments.json:
        print(json.dumps(rows, indent=2))
        return 0
    width = max(22, *(len(row["id"]) + 1 for row in rows))
    for row in rows:
        print(f"{row['id']:<{width}}{row['title']}")
        if not row["splits"]:
            print(f"{'':<{width}}  {row['origin']}")
        for split, found in row["splits"].items():
            note = "" if found["read_here"] else "; never read here"
            print(f"{'':<{width}}  {split:<12}{found['problems']:>10,}  {found['where']}{note}")
    return 0


def _row(name: str, loader: Loader, data_dir: str | None) -> dict[str, Any]:
    splits = {
        split: {
            "problems": size,
            "where": loader.location(split, data_dir),
            "read_here": loader.spec is None or loader.spec.was_read(split),
        }
        for split, size in loader.sizes.items()
    }
    return {"id": env_id(name), "title": loader.title, "origin": loader.origin, "splits": splits}
