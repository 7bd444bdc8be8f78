from rise_benchmarks.speed.timing import measure


def test_a_repeat_runs_at_least_once_however_short_it_is() -> None:
    calls: list[int] = []

    def run() -> int:
        calls.append(1)
        return 1

    rate = measure("x", run, seconds=0.0, repeats=3)
    assert len(calls) == 4  # once before the repeats
    assert rate.per_second > 0
    assert rate.per_cpu_second > 0
