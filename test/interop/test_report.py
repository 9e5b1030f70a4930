"""The report of a training in a real browser: its charts have their points, its script tells values, nothing is loaded."""

import json
import re
import shutil
import subprocess

import pytest

from sluice import sluice
from test_training import tables

BROWSER = next(filter(None, map(shutil.which, ["chromium", "chromium-browser", "google-chrome"])), "chromium")
#: Points at the middle of the first chart, as a reader would.
POINT = """<script>
const chart = document.querySelector("svg.lines"), box = chart.getBoundingClientRect();
const at = { clientX: box.x + box.width / 2, clientY: box.y + box.height / 2 };
chart.dispatchEvent(new PointerEvent("pointermove", at));
document.body.dataset.shown = getComputedStyle(document.querySelector(".readout")).visibility;
document.body.dataset.paper = getComputedStyle(document.body).backgroundColor;
document.body.dataset.loaded = performance.getEntriesByType("resource").length;
document.body.dataset.wide = document.documentElement.scrollWidth - document.documentElement.clientWidth;
</script>"""


def dom(page, *options):
    """The page as the browser has it, after its scripts."""
    # Without a sandbox, for containers have none to give.
    command = [BROWSER, "--headless", "--no-sandbox", "--disable-gpu", *options, "--dump-dom", page.as_uri()]
    done = subprocess.run(command, capture_output=True, timeout=60, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    directory = tmp_path_factory.mktemp("report")
    data = tables(directory, [8, 8])
    done = sluice(
        *("train", data, "--features", "x", "--label", "label", "--epochs", 4, "--batch", 50, "--validation", 0.2),
        *("--layers", "dense(32) | relu | dense(16) | prelu | dense(5)", "--optimizer", "adam(lr=0.01)"),
        *("--report", directory / "report.html", "--log", directory / "run.jsonl", "-o", directory / "m.safetensors"),
    )
    assert done.returncode == 0, done.stderr.decode()
    page = directory / "report.html"
    page.write_text(page.read_text().replace("</body>", POINT + "</body>"))
    lines = [json.loads(line) for line in (directory / "run.jsonl").read_text().splitlines()]
    return page, lines


def curves(html, title):
    """Points of each labelled curve of a chart."""
    chart = re.search(rf'<svg class="lines"[^>]*aria-label="{title}".*?</svg>', html, re.S).group()
    found = re.findall(r'<polyline [^>]*data-label="([^"]*)" points="([^"]*)"', chart)
    return {label: [tuple(map(float, point.split(","))) for point in points.split()] for label, points in found}


def test_charts_have_their_points(report):
    page, lines = report
    html = dom(page)
    steps = [line for line in lines if line["event"] == "step"]
    looks = [line for line in lines if line["event"] == "layers"]
    loss = curves(html, "Loss")
    assert {label: len(points) for label, points in loss.items()} == {"training": len(steps), "held out": 4}
    assert len(steps) == 64
    # Left to right, and the first losses, the highest of all, near the top.
    xs, ys = zip(*loss["training"])
    assert list(xs) == sorted(set(xs)) and ys[0] < min(ys[-10:])
    assert set(curves(html, "Accuracy")) == {"training", "held out"}
    assert len(curves(html, "Gradient norm")["gradient norm"]) == len(steps)
    layers = curves(html, "Gradient norm of each layer")
    assert set(layers) >= {"0 dense", "2 dense", "4 dense"}
    assert all(len(points) == len(looks) for points in layers.values())
    assert len(curves(html, "Dead units")["1 relu"]) == len(looks)
    assert len(curves(html, "Learned by 3 prelu")["value"]) == len(looks)
    assert html.count('<svg class="histogram"') >= 5
    assert html.count('<svg class="picture"') == 10
    confusion = [int(count) for count in re.findall(r"<title>(\d+) of ", html)]
    assert sum(confusion) == 200


def test_the_pointer_gets_values(report):
    html = dom(report[0], "--window-size=1200,900")
    told = re.search(r'<div class="readout"[^>]*>(.*?)</div>', html).group(1)
    assert re.fullmatch(r"step \d+<br>training: [\d.]+<br>held out: [\d.]+", told)
    assert 'data-shown="visible"' in html


def test_light_and_dark_need_no_network(report):
    light = dom(report[0])
    dark = dom(report[0], "--blink-settings=preferredColorScheme=0")
    assert 'data-paper="rgb(255, 255, 255)"' in light
    assert 'data-paper="rgb(17, 17, 17)"' in dark
    assert 'data-loaded="0"' in light


def test_it_fits_a_narrow_window(report):
    # The browser's windows are no narrower than 500.
    assert 'data-wide="0"' in dom(report[0], "--window-size=500,900")
