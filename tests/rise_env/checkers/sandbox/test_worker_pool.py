import asyncio
import multiprocessing
import os
import pickle
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import gymnasium
import pytest

from rise_env.checkers import (
    CheckerService,
    CheckItem,
    NumericChecker,
    Policy,
    SymbolicChecker,
    check_answer,
)
from rise_env.checkers.sandbox.worker_pool import default_service
from rise_env.envs.math_env import MathEnv
from rise_env.envs.vector_env import MathVectorEnv
from rise_env.errors import ConfigError
from rise_env.types import Problem, Verdict

EASY = (r"\boxed{\int_0^1 x\,dx}", r"\frac{1}{2}")
WRONG = (r"\boxed{\int_0^1 x\,dx}", r"\frac{1}{3}")
HOPELESS = (r"\boxed{\int_0^{1} x^{x^{x^{x}}} dx}", "1")


@pytest.fixture(scope="module")
def service() -> Iterator[CheckerService]:
    with CheckerService(workers=2) as service:
        service.warm_up()
        yield service


def checker(service: CheckerService, timeout: float = 10.0) -> SymbolicChecker:
    return SymbolicChecker(service=service, timeout=timeout)


@pytest.mark.parametrize(
    ("answer", "reference"),
    [
        (r"\lim_{x\to0}\frac{\sin x}{x}", "1"),
        (r"\lim_{n\to\infty}(1+\frac{1}{n})^n", "e"),
        (r"\sum_{k=1}^{\infty}\frac{1}{k^2}", r"\frac{\pi^2}{6}"),
        (r"\sum_{k=1}^{n} k", r"\frac{n(n+1)}{2}"),
        (r"\int_0^{\pi}\sin x\,dx", "2"),
        (r"50\% \cdot \lim_{x\to0} 4\cos x", "2"),
    ],
)
def test_sums_integrals_and_limits_are_worked_out(
    service: CheckerService, answer: str, reference: str
) -> None:
    assert checker(service).check(f"\\boxed{{{answer}}}", reference).correct
    assert not checker(service).check(f"\\boxed{{{answer}+1}}", reference).correct


def test_a_check_that_overruns_costs_its_time_and_changes_no_later_verdict(service: CheckerService) -> None:
    hasty = checker(service, timeout=0.5)
    start = time.perf_counter()
    assert hasty.check(*HOPELESS).verdict is Verdict.TIMEOUT
    assert time.perf_counter() - start < 120.0
    patient = checker(service)
    assert patient.check(*EASY).verdict is Verdict.CORRECT
    assert patient.check(*WRONG).verdict is Verdict.WRONG
    assert patient.check(r"\boxed{4}", "4").correct


def test_time_in_which_the_worker_does_not_run_does_not_count(service: CheckerService) -> None:
    """A stopped worker stands for one that waits on a busy machine."""
    assert checker(service).check(*EASY).correct
    for worker in list(service._all):
        os.kill(worker.process.pid, signal.SIGSTOP)
        threading.Timer(1.5, os.kill, (worker.process.pid, signal.SIGCONT)).start()
    hasty = checker(service, timeout=1.0)
    assert hasty.check(r"\boxed{\int_0^4 x\,dx}", "8").verdict is Verdict.CORRECT


def test_the_first_check_waits_until_sympy_is_loaded() -> None:
    with CheckerService(workers=1) as service:
        assert checker(service, timeout=0.5).check(*EASY).verdict is Verdict.CORRECT


def test_an_environment_loads_sympy_only_if_its_checker_may_need_it() -> None:
    problems = [Problem(id="0", question="What is it?", reference="1")]
    with CheckerService(workers=2) as service:
        MathEnv(problems, SymbolicChecker(service=service)).reset()
        MathVectorEnv(problems, SymbolicChecker(service=service), num_envs=2).reset()
        assert len(service._all) == 1
    before = len(default_service()._all)
    MathEnv(problems, NumericChecker()).reset()
    assert len(default_service()._all) == before


@pytest.mark.parametrize(
    ("answer", "reference", "correct"),
    [
        (r"\sum_{k=1}^{n} k", r"\frac{n(n+1)}{2}", True),
        (r"\sum_{k=1}^{n} k", r"\frac{n^2}{2}", False),
        (r"\int_0^x t\,dt", r"\frac{x|x|}{2}", False),
        (r"\int_0^x |t|\,dt", r"\frac{x^2}{2}", False),
    ],
)
def test_variables_are_compared_in_every_regime(
    service: CheckerService, answer: str, reference: str, correct: bool
) -> None:
    assert checker(service).check(f"\\boxed{{{answer}}}", reference).correct is correct


def test_a_batch_keeps_its_order(service: CheckerService) -> None:
    items = [CheckItem(*EASY), CheckItem(r"\boxed{4}", "4"), CheckItem(*WRONG), CheckItem("?", "4")]
    verdicts = [result.verdict for result in checker(service, timeout=10.0).check_many(items)]
    assert verdicts == [Verdict.CORRECT, Verdict.CORRECT, Verdict.WRONG, Verdict.NO_ANSWER]


def test_many_threads_get_the_verdicts_of_one(service: CheckerService) -> None:
    shared = checker(service, timeout=30.0)
    cases = [EASY, WRONG, (r"\boxed{\sqrt{8}}", r"2\sqrt{2}"), (r"\boxed{4}", "5")] * 6
    alone = [shared.check(*case).verdict for case in cases]
    fresh = checker(service, timeout=30.0)
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda case: fresh.check(*case).verdict, cases)) == alone


def test_asyncio_can_check_in_an_executor(service: CheckerService) -> None:
    async def check() -> list[bool]:
        loop = asyncio.get_running_loop()
        jobs = [
            loop.run_in_executor(None, lambda case=case: checker(service).check(*case))
            for case in (EASY, WRONG)
        ]
        return [(await job).correct for job in jobs]

    assert asyncio.run(check()) == [True, False]


def _in_a_child(queue: "multiprocessing.Queue[list[bool]]") -> None:
    queue.put([check_answer(*EASY, timeout=20.0).correct, check_answer(*WRONG, timeout=20.0).correct])


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_child_processes_check_for_themselves(method: str) -> None:
    assert check_answer(*EASY, timeout=20.0).correct  # this process has workers when the child begins
    context = multiprocessing.get_context(method)
    queue: multiprocessing.Queue[list[bool]] = context.Queue()
    child = context.Process(target=_in_a_child, args=(queue,), daemon=True)
    child.start()
    assert queue.get(timeout=60) == [True, False]
    child.join(10)
    assert child.exitcode == 0
    assert check_answer(*EASY, timeout=20.0).correct


def test_a_worker_that_dies_is_replaced(service: CheckerService) -> None:
    patient = checker(service)
    assert patient.check(*EASY).correct
    for worker in list(service._all):
        os.kill(worker.process.pid, signal.SIGKILL)
        worker.process.wait()
    assert patient.check(r"\boxed{\int_0^2 x\,dx}", "2").correct
    assert service.restarts >= 1


def test_a_checker_travels_to_other_processes_with_its_policy() -> None:
    checker = SymbolicChecker(Policy(digits=2), timeout=0.5)
    twin = pickle.loads(pickle.dumps(checker))  # noqa: S301
    assert (twin.policy, twin.timeout) == (checker.policy, checker.timeout)


def test_no_process_starts_before_one_is_needed() -> None:
    with CheckerService() as service:
        assert (
            SymbolicChecker(service=service).check(r"\boxed{\frac{1}{\sqrt2}}", r"\frac{\sqrt2}{2}").correct
        )
        assert service._all == []


def test_a_closed_service_leaves_no_process() -> None:
    service = CheckerService(workers=1)
    service.warm_up()
    [worker] = service._all
    service.close()
    assert not worker.alive
    assert checker(service).check(*EASY).verdict is Verdict.WRONG


@pytest.mark.parametrize("settings", [{"workers": 0}, {"workers": 1000}, {"memory_mb": 1}])
def test_settings_out_of_range_are_refused(settings: dict[str, int]) -> None:
    with pytest.raises(ConfigError, match=next(iter(settings))):
        CheckerService(**settings)


def test_memory_is_bounded(service: CheckerService) -> None:
    greedy = r"\boxed{\sum_{k=1}^{\infty} \frac{(x+y+z+w)^{900}}{k!}}"
    assert not checker(service, timeout=3.0).check(greedy, "1").correct
    assert checker(service).check(*EASY).correct


SCRIPT = textwrap.dedent(r"""
    import sys, time
    from rise_env.checkers import check_answer
    from rise_env.checkers.sandbox.worker_pool import default_service
    assert check_answer(r"\boxed{\int_0^1 x\,dx}", r"\frac{1}{2}", timeout=20.0).correct
    print(" ".join(str(worker.process.pid) for worker in default_service()._all), flush=True)
    if len(sys.argv) > 1:
        time.sleep(60)
""")


def _gone(pid: int) -> bool:
    for _ in range(100):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.05)
    return False


@pytest.mark.parametrize("end", ["exit", "interrupt", "kill"])
def test_workers_end_with_the_process_that_started_them(end: str) -> None:
    arguments = [sys.executable, "-c", SCRIPT, *(["wait"] if end != "exit" else [])]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        pids = [int(pid) for pid in process.stdout.readline().split()]
        assert pids
        if end != "exit":
            process.send_signal(signal.SIGINT if end == "interrupt" else signal.SIGKILL)
        process.wait(30)
    assert all(map(_gone, pids))


def test_verdicts_off_the_main_thread_are_the_same() -> None:
    found: list[bool] = []
    thread = threading.Thread(target=lambda: found.append(check_answer(r"\boxed{4}", "4").correct))
    thread.start()
    thread.join()
    assert found == [True]


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_environments_in_other_processes_check_for_themselves() -> None:
    problem = Problem(id="p", question="?", reference=r"\frac{1}{2}")

    def make() -> MathEnv:
        return MathEnv([problem], SymbolicChecker(timeout=20.0))

    envs = gymnasium.vector.AsyncVectorEnv([make, make], shared_memory=False)
    try:
        envs.reset(seed=0)
        _, rewards, *_ = envs.step([EASY[0], WRONG[0] + r", no: \boxed{1}"])
        assert list(rewards) == [1.0, 0.0]
    finally:
        envs.close()
