"""The report page as a reader meets it."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By

from genrekit.bench.results import BenchDocument, read_bench

from .conftest import SCREENSHOTS

pytestmark = pytest.mark.browser

PHONE, DESK = 390, 1_280


def visit(browser: webdriver.Chrome, page: Path, width: int = DESK, scheme: str = "light") -> None:
    size = {"width": width, "height": 844, "deviceScaleFactor": 1, "mobile": width == PHONE}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    feature = {"name": "prefers-color-scheme", "value": scheme}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})
    for log in ("browser", "performance"):
        browser.get_log(log)  # forget what came before
    browser.get(page.as_uri())


@pytest.fixture
def document(sources: dict[str, Path]) -> BenchDocument:
    return read_bench(sources["bench"])


def titles(browser: webdriver.Chrome, chart: str) -> list[str]:
    """What hovering over a chart's marks shows."""
    script = (
        "return [...document.querySelectorAll(`#${arguments[0]} svg g > title`)]"
        ".map(title => title.textContent)"
    )
    found: list[str] = browser.execute_script(script, chart)
    return found


def column(browser: webdriver.Chrome, table: int, index: int) -> list[str]:
    script = (
        "return [...document.querySelectorAll('table')[arguments[0]].tBodies[0].rows]"
        ".map(row => row.cells[arguments[1]].textContent)"
    )
    found: list[str] = browser.execute_script(script, table, index)
    return found


def test_nothing_is_requested_and_the_console_stays_silent(
    chromium: webdriver.Chrome, page: Path
) -> None:
    visit(chromium, page)
    events = [json.loads(entry["message"])["message"] for entry in chromium.get_log("performance")]
    urls = [
        event["params"]["request"]["url"]
        for event in events
        if event["method"] == "Network.requestWillBeSent"
    ]
    assert urls[0] == page.as_uri()
    assert not [url for url in urls[1:] if not url.startswith("data:")]
    assert chromium.get_log("browser") == []


def test_the_page_forbids_itself_the_network(chromium: webdriver.Chrome, page: Path) -> None:
    visit(chromium, page)
    script = "fetch('https://example.org').then(() => arguments[0](1), () => arguments[0](0))"
    assert chromium.execute_async_script(script) == 0
    assert any(
        "Content Security Policy" in entry["message"] for entry in chromium.get_log("browser")
    )


CHARTS = [
    "accuracy-size",
    "accuracy-latency",
    "latency",
    "stages",
    "efficiency",
    "sustained-0",
    "sustained-1",
    "genres",
    "confusion-0",
    "confusion-1",
    "confusion-2",
    "learning-0-loss",
    "learning-0-accuracy",
]


@pytest.mark.parametrize("chart", CHARTS)
def test_every_chart_is_drawn_and_described(
    chromium: webdriver.Chrome, page: Path, chart: str
) -> None:
    visit(chromium, page)
    svg = chromium.find_element(By.CSS_SELECTOR, f"#{chart} > svg")
    assert svg.size["width"] > 300
    assert svg.size["height"] > 80
    assert svg.get_attribute("role") == "img"
    for name in ("labelledby", "describedby"):
        text = chromium.find_element(By.ID, svg.get_attribute(f"aria-{name}") or "")
        assert len(text.get_attribute("textContent") or "") > 5
    assert titles(chromium, chart)


def test_charts_hold_the_numbers_of_the_json(
    chromium: webdriver.Chrome, page: Path, document: BenchDocument, sources: dict[str, Path]
) -> None:
    visit(chromium, page)
    latencies, stages, limits = (titles(chromium, k) for k in ("latency", "stages", "efficiency"))
    for model in document.models:
        stream = model.single_stream
        p99 = stream.total_percentiles_ms[99]
        assert f"{model.model}: p99 {p99:.4g} ms" in latencies
        assert f"{model.model}: features {stream.features.p50_ms:.3g} ms" in stages
        assert any(
            f"{model.model}: {model.efficiency.macs_per_s / 1e9:.3g} of" in t for t in limits
        )
    evaluation = json.loads(sources["evaluation"].read_text())
    for index, judgement in enumerate(evaluation["judgements"]):
        cells = titles(chromium, f"confusion-{index}")
        confusion = judgement["scores"]["confusion"]
        counts = [int(cell.rsplit(": ", 1)[1].split()[0]) for cell in cells]
        assert counts == [count for row in confusion for count in row]


def test_the_summary_has_every_artifact(
    chromium: webdriver.Chrome, page: Path, document: BenchDocument
) -> None:
    visit(chromium, page)
    assert column(chromium, 0, 0) == [model.model for model in document.models]
    assert column(chromium, 0, 1) == [f"{model.bytes:,}" for model in document.models]


def test_pressing_a_column_sorts_it_up_and_down(chromium: webdriver.Chrome, page: Path) -> None:
    visit(chromium, page)
    sizes = [int(text.replace(",", "")) for text in column(chromium, 0, 1)]
    header = chromium.find_elements(By.CSS_SELECTOR, "table:first-of-type thead th")[1]
    for order, expected in (("ascending", sorted(sizes)), ("descending", sorted(sizes)[::-1])):
        header.find_element(By.TAG_NAME, "button").click()
        assert header.get_attribute("aria-sort") == order
        assert [int(text.replace(",", "")) for text in column(chromium, 0, 1)] == expected


def test_cells_without_a_number_stay_last(chromium: webdriver.Chrome, page: Path) -> None:
    visit(chromium, page)
    headers = chromium.find_elements(By.CSS_SELECTOR, "table:first-of-type thead th")
    names = [header.text.strip() for header in headers]
    index = names.index("engine, times as fast")  # the first artifact has none
    for _ in range(2):
        headers[index].find_element(By.TAG_NAME, "button").click()
        assert column(chromium, 0, index)[-1] == ""


def test_the_data_can_be_taken_home(
    chromium: webdriver.Chrome, page: Path, sources: dict[str, Path]
) -> None:
    visit(chromium, page)
    link = chromium.find_element(By.LINK_TEXT, "bench.json")
    content = (link.get_attribute("href") or "").split("base64,")[1]
    assert base64.b64decode(content) == sources["bench"].read_bytes()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [PHONE, DESK])
def test_axe_finds_nothing_and_the_page_fits(
    chromium: webdriver.Chrome, page: Path, axe: str, width: int, scheme: str
) -> None:
    visit(chromium, page, width, scheme)
    for element in chromium.find_elements(By.TAG_NAME, "summary")[:3]:
        element.click()
    assert chromium.execute_script("return document.documentElement.scrollWidth") <= width
    chromium.execute_cdp_cmd("Runtime.evaluate", {"expression": axe})
    run = "axe.run().then(arguments[0], error => arguments[0]({violations: [String(error)]}))"
    outcome: dict[str, Any] = chromium.execute_async_script(run)
    found = outcome["violations"]
    assert found == [], json.dumps(found, indent=1)[:3_000]
    assert any(check["id"] == "color-contrast" for check in outcome["passes"])
    _photograph(chromium, f"{width}-{scheme}")


def test_a_phones_charts_have_readable_text(chromium: webdriver.Chrome, page: Path) -> None:
    visit(chromium, page, PHONE)
    script = (
        "return Math.min(...[...document.querySelectorAll('figure > svg text')]"
        ".map(text => text.getBoundingClientRect()).map(box => Math.min(box.width, box.height))"
        ".filter(size => size > 0))"
    )
    assert chromium.execute_script(script) > 5  # a digit's width


def test_buttons_can_be_hit_with_a_thumb(chromium: webdriver.Chrome, page: Path) -> None:
    visit(chromium, page, PHONE)
    for button in chromium.find_elements(By.CSS_SELECTOR, "section:first-of-type thead button"):
        assert button.size["height"] >= 24
        assert button.size["width"] >= 24


def _photograph(browser: webdriver.Chrome, name: str) -> None:
    shot = browser.execute_cdp_cmd("Page.captureScreenshot", {"captureBeyondViewport": True})
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    (SCREENSHOTS / f"{name}.png").write_bytes(base64.b64decode(shot["data"]))
