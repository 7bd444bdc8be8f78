"""The page in a real browser, and what must be true of its text without one."""

import base64
import importlib.util
import re
import time
from collections.abc import Iterator
from html import escape
from html.parser import HTMLParser
from pathlib import Path

import pytest

from rise_benchmarks.report.evaluation_logs import find_logs
from rise_benchmarks.report.figures import FIGURES
from rise_benchmarks.report.page.captions import CAPTIONS, caption
from rise_benchmarks.report.page.html_page import write_page
from rise_benchmarks.report.report import sum_up, write_report
from rise_env.metrics.glossary.definitions import definitions
from rise_env.types import Conversation
from tests.rise_benchmarks.report.chromium import Chromium, find
from tests.rise_benchmarks.report.evaluation_logs import late, play, write_many

ATTACK = (
    "<script>document.title='pwned'</script><img src=x onerror=\"document.title='pwned'\"> </script> \ud800"
)


def find_axe() -> Path | None:
    """Return the script of axe-core that the package axe-playwright-python contains, if it is installed."""
    spec = importlib.util.find_spec("axe_playwright_python")
    return Path(spec.origin).with_name("axe.min.js") if spec and spec.origin else None


BROWSER = find()
AXE = find_axe()
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


def press(browser: Chromium, key: str) -> None:
    browser.run(
        f"document.getElementById('list').dispatchEvent(new KeyboardEvent('keydown', {{ key: {key!r} }}))"
    )


def size(browser: Chromium, width: int, height: int) -> None:
    browser.call(
        "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False
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
    own = ("data:image/svg+xml;base64,", "data:text/csv;base64,", "#")
    assert [w for w in wanted if not w.startswith(own)] == []


def test_the_csv_of_the_report_is_in_the_page(page: Path) -> None:
    [data] = re.findall(r'download="report.csv" href="data:text/csv;base64,([^"]+)"', page.read_text())
    assert base64.b64decode(data) == (page.parent / "report.csv").read_bytes()


def test_every_heading_of_a_table_is_defined_in_the_page(page: Path) -> None:
    text = page.read_text()
    known = definitions(5, 5)
    for name in ("m1@t1", "m5@t1", "m1@t5", "p1@t5", "ECR", "recovered", "tokens so far"):
        assert f'<abbr title="{escape(known[name])}">{name}</abbr>' in text, name
    for name in ("m1@t5", "ECR"):
        assert f"<dt>{name}</dt><dd>{escape(known[name])}</dd>" in text, name


def test_every_figure_has_a_caption(page: Path) -> None:
    assert set(CAPTIONS) == set(FIGURES)
    text = page.read_text()
    for name in ("accuracy_by_turn", "success_rate_unsolved", "equal_tokens"):
        heading, said = caption(name)
        assert f"<figcaption><h3>{heading}</h3><p>{said}</p></figcaption>" in text


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


@needs_browser
def test_a_comparison_is_kept_from_one_episode_to_the_next(browser: Chromium, page: Path) -> None:
    show(browser, page)
    choose(browser, "by-protocol", "0")
    settle(browser, "12 of 24 episodes")
    choose(browser, "compare", str(browser.run("document.querySelectorAll('#compare option')[1].value")))
    browser.wait("document.querySelectorAll('.turn').length === 10")
    press(browser, "ArrowDown")
    browser.wait("document.querySelector('#detail b').textContent === 'arithmetic/test/0/1'")
    assert browser.run("document.querySelectorAll('.turn').length") == 10
    assert browser.run("document.querySelector('#compare').selectedOptions[0].text").startswith("iteration 1")


@needs_browser
def test_a_link_leads_to_an_episode_with_its_filters_and_its_comparison(
    browser: Chromium, page: Path
) -> None:
    show(browser, page)
    choose(browser, "by-row", "1")
    choose(browser, "by-verdict", "w")
    settle(browser, "12 of 24 episodes")
    browser.run("document.querySelectorAll('.item')[2].click()")
    browser.wait("document.querySelector('#detail b').textContent === 'arithmetic/test/0/2'")
    choose(browser, "compare", str(browser.run("document.querySelectorAll('#compare option')[1].value")))
    browser.wait("location.hash.includes('with=')")
    link = str(browser.run("document.getElementById('link').href"))
    assert link == browser.run("location.href")
    assert "policy=iteration+1&verdict=wrong&open=iteration+1" in link
    browser.call("Page.navigate", url="about:blank")
    browser.call("Page.navigate", url=link)
    browser.wait("document.documentElement?.dataset.ready === 'yes'")
    assert count(browser) == "12 of 24 episodes"
    assert browser.run("document.querySelector('#detail b').textContent") == "arithmetic/test/0/2"
    assert browser.run("document.querySelectorAll('.turn').length") == 10
    assert browser.run("document.getElementById('by-verdict').value") == "w"


@needs_browser
def test_the_list_is_used_by_keyboard_alone(browser: Chromium, page: Path) -> None:
    show(browser, page)
    chosen = "document.querySelector('[role=option][aria-selected=true]')"
    for key, place in (("End", "24"), ("ArrowUp", "23"), ("Home", "1"), ("ArrowDown", "2"), ("PageUp", "1")):
        press(browser, key)
        browser.wait(f"{chosen}?.ariaPosInSet === '{place}'")
        active = browser.run("document.getElementById('list').getAttribute('aria-activedescendant')")
        assert active == browser.run(f"{chosen}.id")
    marks = browser.run(f"{chosen}.querySelector('[role=img]').ariaLabel")
    assert marks == "wrong, wrong, correct, correct, correct"


@needs_browser
def test_the_page_fits_a_phone(browser: Chromium, page: Path) -> None:
    size(browser, 390, 844)
    show(browser, page)
    assert browser.run("document.documentElement.scrollWidth <= innerWidth")
    cells = "[...document.querySelector('#table ~ .wide').querySelectorAll('th')]"
    right = cells + ".find(x => x.textContent === {!r}).getBoundingClientRect().right"
    for heading in ("m1@t1", "m5@t1", "m1@t5"):
        assert browser.run(right.format(heading) + " < innerWidth"), heading
    widths = browser.run("[...document.querySelectorAll('figure:not(.wide-figure) img')].map(x => x.width)")
    assert widths
    assert min(widths) > 330


@pytest.mark.slow
@needs_browser
@pytest.mark.skipif(AXE is None, reason="axe-core is not installed: pip install axe-playwright-python")
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1400, 390])
def test_axe_finds_nothing_in_the_page(browser: Chromium, page: Path, width: int, scheme: str) -> None:
    assert AXE
    size(browser, width, 900)
    browser.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
    show(browser, page)
    browser.run(AXE.read_text() + "; 0")
    found = browser.run("axe.run().then(r => r.violations.map(v => [v.impact, v.id, v.nodes[0].html]))")
    assert found == []


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
