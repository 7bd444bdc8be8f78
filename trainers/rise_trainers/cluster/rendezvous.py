"""How the processes of a world tell each other which fits to run and how they ended.

The first process announces fits under consecutive numbers. Every other process runs its ranks of each fit
and reports how they ended. All messages are keys of a `torch.distributed.TCPStore`: that of torchrun where
there is one, else one in the first process. All processes poll, so a process that waits notices when the
store is gone, which means that the first process has ended.
"""

import contextlib
import importlib
import json
import time
from datetime import timedelta
from typing import Any

from rise_env.errors import TrainingError
from rise_trainers.cluster.world import World

CONNECT_TIMEOUT_S = 300.0
"""Seconds that a process waits for the first process of its world to start."""
LEAVE_TIMEOUT_S = 20.0
"""Seconds that the first process waits at its end for the others to read that it has ended."""


class Rendezvous:
    """The store of a world.

    Args:
        world: This process of the world.
        host: Whether this process starts the store; only the first process of a world without torchrun.

    Raises:
        TrainingError: The port is in use, or nobody answers on it.
    """

    def __init__(self, world: World, *, host: bool = False) -> None:
        distributed: Any = importlib.import_module("torch.distributed")
        self.world = world
        self._host = host
        try:
            store = distributed.TCPStore(
                world.master_addr,
                world.master_port,
                is_master=host,
                timeout=timedelta(seconds=CONNECT_TIMEOUT_S),
                wait_for_workers=False,
            )
        except RuntimeError as error:  # torch's DistNetworkError and DistStoreError are RuntimeErrors
            where = f"{world.master_addr}:{world.master_port}"
            reason = str(error).partition("\n")[0]
            raise TrainingError(
                f"the processes of the world cannot meet at {where} ({reason}): set MASTER_ADDR to the "
                "machine of the first process and MASTER_PORT to a free port on it"
            ) from error
        self._store = distributed.PrefixStore(f"rise/{world.attempt}/", store)

    def announce(self, fit: dict[str, Any]) -> int:
        """Announce a fit, or other work, to all other processes, and return its number."""
        number = int(self._store.add("fits", 1))
        self._set(f"fit/{number}", json.dumps(fit))
        return number

    def announced(self, number: int) -> dict[str, Any] | None:
        """Return the fit with this number, or None if it is not announced yet."""
        found: dict[str, Any] | None = self._read(f"fit/{number}")
        return found

    def stop(self, number: int) -> None:
        """Make all other processes end their ranks of a fit."""
        self._set(f"stop/{number}", "1")

    def stopped(self, number: int) -> bool:
        """Return whether the ranks of a fit must end, because of `stop` or because the command has ended."""
        return bool(self._store.check([f"stop/{number}"]) or self._store.check(["end"]))

    def report(self, number: int, failure: str | None) -> None:
        """Report that the ranks of this process have ended; `failure` says why they failed, if they did."""
        if failure is not None:
            self._set(f"failed/{number}", json.dumps(failure))
        self._store.add(f"ended/{number}", 1)

    def failure(self, number: int) -> str | None:
        """Return why the ranks of another process failed, or None if none did so far."""
        found: str | None = self._read(f"failed/{number}")
        return found

    def all_ended(self, number: int) -> bool:
        """Return whether the ranks of all other processes have ended."""
        return int(self._store.add(f"ended/{number}", 0)) >= self.world.size - 1

    def wait_until_all_ended(self, number: int) -> None:
        """Wait until all other processes have reported; for work that they do at once."""
        while not self.all_ended(number):
            time.sleep(0.1)

    def add_machine(self) -> None:
        """Count the machine of this process as one that joins the Ray cluster."""
        self._store.add("machines", 1)

    def machines(self) -> int:
        """Return how many machines besides the first join the Ray cluster."""
        return int(self._store.add("machines", 0))

    def end(self, code: int, *, timeout_s: float = LEAVE_TIMEOUT_S) -> None:
        """Tell all other processes that the command has ended.

        Args:
            code: The exit code of the command.
            timeout_s: Seconds to wait for the others to read it, if this process has the store.
        """
        self._set("end", json.dumps(code))
        deadline = time.monotonic() + timeout_s
        with contextlib.suppress(RuntimeError):
            # the store ends with this process, and the others have to read from it before
            while self._host and time.monotonic() < deadline and not self._all_left():
                time.sleep(0.1)

    def ended(self) -> int | None:
        """Return with which exit code the command has ended, or None while it runs."""
        code: int | None = self._read("end")
        if code is not None:
            self._store.add("left", 1)
        return code

    def _all_left(self) -> bool:
        return int(self._store.add("left", 0)) >= self.world.size - 1

    def _set(self, key: str, value: str) -> None:
        """Set a key. When this returns, the store has it: `set` alone does not wait for the store."""
        self._store.set(key, value)
        self._store.check([key])  # on the same connection, so that it is answered after `set` was done

    def _read(self, key: str) -> Any:
        return json.loads(self._store.get(key)) if self._store.check([key]) else None
