import io

from rich.console import Console

from rise_env.utils.progress_bar import ProgressBar


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
