"""The page in a real browser: no error, no request; plot and tables answer clicks; a phone is wide enough."""

import html
import re
import shutil
import subprocess

import pytest

from nasturtium.report import write_report

pytestmark = pytest.mark.browser

CLICK = """
<script>
const button = document.querySelector("#trials th:nth-child(3) button");
button.click();
const first = document.querySelector("#trials tbody tr").id;
button.click();
document.title = [first, document.querySelector("#trials tbody tr").id].join(" ");
</script>
"""

POINT = """
<script>
const point = document.querySelector("#front svg a");
const row = document.querySelector(point.getAttribute("href"));
point.dispatchEvent(new MouseEvent("click", { bubbles: true, cancelable: true, view: window }));
const loaded = performance.getEntriesByType("resource").length;
document.title = [location.hash === "#" + row.id, row.matches(":target"), loaded].join(" ");
</script>
"""


@pytest.fixture
def rendered(tmp_path):
    """Return a function that opens a page in Chromium and gives its title and what it logged."""

    def open_page(page):
        file = tmp_path / "page.html"
        file.write_text(page, encoding="utf-8")
        command = [
            shutil.which("chromium"), "--headless", "--no-sandbox", "--disable-gpu",
            "--no-first-run",
            "--disable-background-networking", "--disable-component-update", "--disable-sync",
            "--disable-quic", "--enable-logging=stderr", f"--user-data-dir={tmp_path / 'profile'}",
            "--dump-dom", file.as_uri(),
        ]  # fmt: skip
        run = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
        messages = [line for line in run.stderr.splitlines() if "CONSOLE" in line]
        return html.unescape(re.search("<title>(.*?)</title>", run.stdout)[1]), messages

    return open_page


@pytest.fixture
def page(networks, tmp_path):
    study = networks("nasnet", cells=1)
    for i in range(12):
        study.end(valid_error=(i * 5 % 12) / 20, params=1000.0 + i)
    study.fail("boom: " + "x" * 300)
    return write_report(study.history, study.created, tmp_path / "report.html").read_text()


def test_a_click_sorts_and_nothing_is_logged(rendered, page):
    title, messages = rendered(page.replace("</body>", f"{CLICK}</body>"))
    assert title == "trial-0 trial-7"  # errors 0 and 11/20; the failed trial stays last
    assert messages == []


def test_a_point_of_the_plot_leads_to_its_row_and_nothing_is_requested(rendered, page):
    assert rendered(page.replace("</body>", f"{POINT}</body>")) == ("true true 0", [])


def test_the_page_is_no_wider_than_a_phone(rendered, page):
    outer = (
        "<!DOCTYPE html><title>?</title>"
        f'<iframe style="width: 375px; height: 800px; border: 0" srcdoc="{html.escape(page)}"'
        ' onload="const page = this.contentDocument.documentElement;'
        ' document.title = page.scrollWidth - page.clientWidth"></iframe>'
    )
    assert rendered(outer) == ("0", [])
