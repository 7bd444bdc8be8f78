"""Measures the ways to play with two copies of a model on this machine, against one copy.

    python -m tests.rise_agents.parallel.copies WAY --model MODEL --out FOLDER

WAY is one (a single copy), pool (`data_parallel_size`), ray (`workers`) or server (`vllm serve
--data-parallel-size` with `openai:`). It prints the seconds until all copies are loaded, the tokens per
second of a collection, and a digest of the replies. vLLM must be installed. Each copy has one thread.
"""

import argparse
import hashlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

from rise_agents.engines.ray_engine import CollectSource
from rise_agents.engines.ray_pool import RayPool
from rise_agents.rollouts.cleanup import close_all
from rise_agents.rollouts.collect import collect
from rise_agents.rollouts.collect_config import (
    STORE,
    CollectConfig,
    environment_maker,
    make_plan,
    open_store,
    run_record,
)
from rise_agents.types import SamplingConfig
from rise_env.envs.math_env import math_env_of
from rise_env.errors import RiseError
from rise_env.trajectories.store import read_trajectories

ONE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "VLLM_CPU_OMP_THREADS_BIND": "nobind",
    "VLLM_CPU_KVCACHE_SPACE": "1",
    "VLLM_LOGGING_LEVEL": "ERROR",
}
OF_MODEL = {"dtype": "float32", "eager": True, "max_concurrent_requests": 32}
WAYS = ("one", "pool", "ray", "server")


def config_of(way: str, model: str, out: str, episodes: int, url: str = "") -> CollectConfig:
    """Return the settings of the collection."""
    settings: dict[str, Any] = OF_MODEL
    if way == "pool":
        settings = {**OF_MODEL, "data_parallel_size": 2}
    if way == "server":
        settings = {"max_concurrent_requests": 64, "send_seeds": False}
    return CollectConfig(
        agent=f"openai:m@{url}" if way == "server" else f"vllm:{model}",
        agent_settings=settings,
        out=out,
        limit=episodes,
        turns=2,
        sampling=SamplingConfig(max_new_tokens=48),
    )


def measure(way: str, model: str, out: str, episodes: int, *, kill: bool) -> dict[str, Any]:
    """Load two copies, play, and return what was measured."""
    began = time.perf_counter()
    if way == "ray":
        with RayPool(CollectSource(config_of(way, model, out, episodes)), 2) as pool:
            pool._ray.get([worker.describe.remote() for worker in pool._workers])
            config = config_of(way, model, out, episodes)
            [description] = pool.describe()
            loaded = time.perf_counter() - began
            problems = math_env_of(environment_maker(config)()).problems

            def play() -> None:
                with open_store(config, description.record) as store:
                    pool.collect(
                        0,
                        description,
                        problems,
                        range(episodes),
                        store,
                        max_concurrent_episodes=None,
                        on_progress=lambda _: None,
                    )

            return played(play, loaded, out, kill=kill)
    with server(model) if way == "server" else no_server() as url:
        config = config_of(way, model, out, episodes, url)
        plan = make_plan(config)
        loaded = time.perf_counter() - began
        make_env = environment_maker(config)

        def play() -> None:
            with open_store(config, run_record(config, plan, make_env())) as store:
                collect(plan, make_env, range(episodes), store, config.sampling, seed=config.seed)

        try:
            return played(play, loaded, out, kill=kill)
        finally:
            close_all(*{id(turn.agent): turn.agent for turn in plan}.values())


def played(play: Any, loaded: float, out: str, *, kill: bool) -> dict[str, Any]:
    """Play, and return the figures; with `kill`, end the process of a copy after ten seconds."""
    if kill:
        mark = subprocess.Popen([sys.executable, "-c", KILLER, str(os.getpid())])
    began = time.perf_counter()
    try:
        play()
        ended = "the collection ended"
    except RiseError as error:
        ended = f"{type(error).__name__}: {error}"
    seconds = time.perf_counter() - began
    if kill:
        mark.wait()
    path = Path(out) / STORE
    episodes = list(read_trajectories(path)) if path.exists() else []
    attempts = [attempt for episode in episodes for turn in episode.turns for attempt in turn.attempts]
    tokens = sum(attempt.usage.completion_tokens for attempt in attempts)
    text = json.dumps(
        sorted((e.problem.id, [a.reply for t in e.turns for a in t.attempts]) for e in episodes)
    )
    return {
        "start_s": round(loaded, 1),
        "seconds": round(seconds, 1),
        "tokens": tokens,
        "tokens_per_s": round(tokens / seconds, 1),
        "episodes": len(episodes),
        "failed": sum(episode.error is not None for episode in episodes),
        "replies": hashlib.sha256(text.encode()).hexdigest()[:12],
        "ended": ended[:300],
    }


KILLER = """
import sys, time, psutil
time.sleep(10)
found = []
for process in psutil.Process(int(sys.argv[1])).children(recursive=True):
    try:
        words = " ".join(process.cmdline())
        if "spawn_main" in words or "RolloutWorker" in words or "EngineCore" in words:
            found.append((process.memory_info().rss, process.pid, words))
    except psutil.Error:
        pass
if found:
    size, pid, words = max(found)
    psutil.Process(pid).kill()
    print("killed", pid, words[:80], file=sys.stderr)
"""


@contextmanager
def no_server() -> Iterator[str]:
    yield ""


@contextmanager
def server(model: str) -> Iterator[str]:
    """Run vLLM's server with two copies."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "vllm.entrypoints.openai.api_server", "--model", model]
    command += ["--served-model-name", "m", "--host", "127.0.0.1", "--port", str(port)]
    command += ["--dtype", "float32", "--enforce-eager", "--max-num-seqs", "32"]
    command += ["--data-parallel-size", "2"]
    process = subprocess.Popen(command, start_new_session=True)
    try:
        while True:
            if process.poll() is not None:
                raise SystemExit(f"vllm serve ended with {process.returncode}")
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=1).close()
                break
            except OSError:
                time.sleep(0.5)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        tree = psutil.Process(process.pid).children(recursive=True) if process.poll() is None else []
        process.send_signal(signal.SIGTERM)
        process.wait()
        for child in tree:
            if child.is_running():
                child.kill()


def main(argv: Sequence[str] | None = None) -> None:
    """Run the command line; see the docstring of this module."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("way", choices=WAYS)
    parser.add_argument("--model", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--episodes", type=int, default=96)
    parser.add_argument("--kill", action="store_true", help="end one copy while it plays")
    given = parser.parse_args(argv)
    os.environ.update(ONE_THREAD)
    print(given.way, json.dumps(measure(given.way, given.model, given.out, given.episodes, kill=given.kill)))


if __name__ == "__main__":
    main()
