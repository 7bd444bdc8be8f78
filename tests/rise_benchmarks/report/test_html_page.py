"""The page in a real browser, and what must be true of its text without one."""

import time
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest

from rise_benchmarks.report.evaluation_logs import find_logs
from rise_benchmarks.report.html_page import write_page
from rise_benchmarks.report.report import sum_up, write_report
from rise_env.types import Conversation
from tests.rise_benchmarks.report.chromium import Chromium, find
from tests.rise_benchmarks.report.evaluation_logs import late, play, write_many

ATTACK = (
    "<script>document.title='pwned'</script><img src=x onerror=\"document.title='pwned'\"> </script> \ud800"
)
BROWSER = find()
needs_browser = pytest.mark.skipif(BROWSER is None, reason="no chromium is installed")


def attacking(conversation: Conversation) -> str:
    return f"{ATTACK} {late(conversation)}"


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    play(folder, "base <b>", 0, 0, attacking)
    play(folder, "iteration 1", 1, 0)
    write_report(folder)
    return folder / "report.html"


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Chromium]:
    assert BROWSER
    with Chromium(BROWSER, tmp_path / "profile") as chromium:
        yield chromium


def show(browser: Chromium, page: Path) -> None:
    browser.call("Page.navigate", url=page.as_uri())
    browser.wait("document.documentElement?.dataset.ready === 'yes'")


def choose(browser: Chromium, name: str, value: str) -> None:
    browser.run(
        f"(() => {{ const s = document.getElementById({name!r}); s.value = {value!r};"
        "s.dispatchEvent(new Event(s.tagName === 'SELECT' ? 'change' : 'input')); })()"
    )


def count(browser: Chromium) -> str:
    return str(browser.run("document.getElementById('count').textContent"))


def settle(browser: Chromium, expected: str) -> None:
    browser.wait(f"document.getElementById('count').textContent === {expected!r}")


def test_what_a_model_says_is_nowhere_in_the_page_as_markup(page: Path) -> None:
    text = page.read_text()
    assert "pwned" not in text
    assert "base <b>" not in text
    assert "base &lt;b&gt;" in text


def test_the_page_asks_for_nothing_from_outside(page: Path) -> None:
    wanted: list[str] = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            wanted.extend(str(v) for k, v in attrs if k in ("src", "href", "srcset", "action", "data"))

    Reader().feed(page.read_text())
    assert wanted
    assert [w for w in wanted if not w.startswith(("data:image/svg+xml;base64,", "#"))] == []


@needs_browser
def test_the_page_loads_filters_opens_and_compares(browser: Chromium, page: Path) -> None:
    show(browser, page)
    assert count(browser) == "24 of 24 episodes"
    choose(browser, "by-protocol", "0")
    settle(browser, "12 of 24 episodes")
    choose(browser, "by-flip", "wrong to right")
    choose(browser, "by-turn", "1")
    settle(browser, "0 of 24 episodes")  # all of them turn right at the third turn
    choose(browser, "by-turn", "2")
    settle(browser, "12 of 24 episodes")
    choose(browser, "by-row", "1")
    settle(browser, "6 of 24 episodes")
    choose(browser, "by-flip", "")
    choose(browser, "by-verdict", "c")
    choose(browser, "by-turn", "0")
    settle(browser, "0 of 24 episodes")
    choose(browser, "by-verdict", "w")
    settle(browser, "6 of 24 episodes")
    browser.run("document.querySelectorAll('.item')[2].click()")
    browser.wait("document.querySelector('#detail b').textContent === 'arithmetic/test/0/2'")
    assert browser.run("document.querySelectorAll('.turn').length") == 5
    answers = browser.run("[...document.querySelectorAll('.turn .answer')].map(x => x.textContent)")
    assert answers[:2] == ["-1", "-1"]
    # the first to compare with is the other policy's episode of the same kind
    options = browser.run("[...document.querySelectorAll('#compare option')].map(x => x.textContent)")
    assert options[1] == "base <b> · sequential · seed 0"
    browser.run(
        "(() => { const s = document.getElementById('compare'); s.selectedIndex = 1;"
        "s.dispatchEvent(new Event('change')); })()"
    )
    browser.wait("document.querySelectorAll('.turn').length === 10")
    assert browser.run("document.querySelectorAll('.turn mark').length") > 0


@needs_browser
def test_text_is_found_in_replies_and_scripts_in_them_never_run(browser: Chromium, page: Path) -> None:
    show(browser, page)
    choose(browser, "by-text", "onerror")
    settle(browser, "12 of 24 episodes")
    browser.run("document.querySelectorAll('.item')[0].click()")
    browser.wait("document.getElementById('detail').textContent.includes('pwned')")
    time.sleep(0.2)
    assert str(browser.run("document.title")).startswith("RISE: ")
    assert browser.run("document.querySelectorAll('#detail img, #detail script').length") == 0
    choose(browser, "by-text", "no such words")
    settle(browser, "0 of 24 episodes")


@needs_browser
def test_the_browser_finds_nothing_to_complain_of_and_loads_nothing(browser: Chromium, page: Path) -> None:
    show(browser, page)
    browser.run("1")
    bad = {"Log.entryAdded", "Runtime.exceptionThrown", "Runtime.consoleAPICalled"}
    assert [event for event in browser.events if event["method"] in bad] == []
    asked = [
        event["params"]["request"]["url"]
        for event in browser.events
        if event["method"] == "Network.requestWillBeSent"
    ]
    assert [url for url in asked if not url.startswith("data:")] == [page.as_uri()]


@pytest.mark.slow
@needs_browser
def test_of_ten_thousand_episodes_only_those_in_sight_are_drawn(browser: Chromium, tmp_path: Path) -> None:
    write_many(tmp_path, 10_000)
    folders = find_logs([tmp_path])
    page = tmp_path / "report.html"
    write_page(page, sum_up(folders), folders, {})
    assert page.stat().st_size < 15e6
    show(browser, page)
    # 10,000 sequential episodes and as many of one draw; only what is in sight is in the page
    assert count(browser) == "20000 of 20000 episodes"
    assert browser.run("document.querySelectorAll('.item').length") < 100
    choose(browser, "by-flip", "wrong to right")
    browser.wait("!document.getElementById('count').textContent.startsWith('20000')")
    choose(browser, "by-flip", "")
    choose(browser, "by-text", "boxed{7}")
    # 1 - 0.8^5 of the episodes and 0.2 of the draws
    browser.wait("/^8\\d\\d\\d of 20000/.test(document.getElementById('count').textContent)")
