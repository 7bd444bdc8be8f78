import io
import time

from rich.console import Console

from rise_env.utils.progress_bar import ProgressBar
from tests.waiting import PATIENCE_S


def terminal() -> tuple[Console, io.StringIO]:
    output = io.StringIO()
    return Console(file=output, force_terminal=True, width=100), output


def test_it_shows_title_count_and_status() -> None:
    console, output = terminal()
    with ProgressBar("play [tiny]", console=console) as bar:
        bar.update(completed=0, total=8)
        bar.update(completed=3, status="50.0% correct")
        bar.update(completed=4)
        bar.print("a note [1]")
    shown = output.getvalue()
    assert "play [tiny]" in shown
    assert "4/8" in shown
    assert "50.0% correct" in shown
    assert "a note [1]" in shown


def test_a_bar_that_is_hidden_or_never_updated_prints_nothing() -> None:
    console, output = terminal()
    with ProgressBar("hidden", show=False, console=console) as bar:
        bar.update(completed=1, total=2)
    with ProgressBar("never updated", console=console):
        pass
    with ProgressBar("no terminal", console=Console(file=output)):
        pass
    assert output.getvalue() == ""


class Clock:
    """A clock that is set by hand."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_the_line_of_a_terminal_fits_into_its_width() -> None:
    output = io.StringIO()
    clock = Clock()
    console = Console(file=output, force_terminal=True, width=80)
    with ProgressBar("a long title, seed 0, sequential", console=console, clock=clock) as bar:
        bar.update(completed=0, total=300)
        clock.now = 10.0
        bar.update(completed=100, speed="12,345 tokens/s", status="last reply right 30.0%, 3 failed")
        shown = str(bar.__rich__())
    assert len(shown) <= 80
    assert "100/300  " in shown
    assert "12,345 tokens/s  0:00:20" in shown


def test_without_a_terminal_a_line_is_printed_again_and_again_and_at_the_end() -> None:
    output = io.StringIO()
    console = Console(file=output, width=80)
    with ProgressBar("play", console=console, note="playing 8 problems", interval_s=0.01) as bar:
        bar.update(
            completed=0, total=8, status="solved 50.0%, of many episodes, in a line that is longer than 80"
        )
        until = time.monotonic() + PATIENCE_S
        while output.getvalue().count("play: ") < 3:  # although nothing is updated
            assert time.monotonic() < until
            time.sleep(0.01)
        bar.update(completed=4, speed="9 tokens/s")
    lines = output.getvalue().splitlines()
    assert lines[0] == "playing 8 problems"
    assert lines[-1].startswith("play: 50 % done, 4/8, 9 tokens/s, solved 50.0%, of many")
    assert all(line.startswith("play: ") for line in lines[1:])


def test_the_time_left_is_estimated_from_what_this_process_did() -> None:
    clock = Clock()
    bar = ProgressBar("play", show=False, clock=clock)
    bar.update(completed=100, total=200)
    assert bar.seconds_left() is None
    clock.now = 50.0
    bar.update(completed=125.0)
    assert bar.seconds_left() == 150.0
    bar.update(completed=0, total=10, title="another")
    assert bar.seconds_left() is None
