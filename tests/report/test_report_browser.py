"""The page in a real browser: it asks for nothing, says nothing, and fits a phone."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

BROWSER = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))),
    None,
)
pytestmark = pytest.mark.skipif(
    BROWSER is None, reason="no chromium, chromium-browser or google-chrome on the path"
)

# the page forbids scripts, so frames of a phone's and a desk's width look into it
PROBE = """<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,">
<body style="margin:0"><script>
const found = {};
for (const width of [390, 1280]) {
  const frame = document.createElement("iframe");
  frame.style = `width:${width}px;height:2000px;border:0;display:block`;
  frame.src = `report.html?${width}`;
  frame.onload = () => {
    const page = frame.contentDocument, root = page.documentElement;
    found[width] = {
      overflow: root.scrollWidth - root.clientWidth,
      beyond: [...page.body.querySelectorAll("*")].filter(element =>
        !element.closest(".table, .plot, pre")
        && element.getBoundingClientRect().right > width + 1
      ).map(element => `${element.tagName}.${element.className}`),
      height: root.scrollHeight,
    };
    document.body.dataset.found = JSON.stringify(found);
  };
  document.body.append(frame);
}
</script></body>"""


class Handler(SimpleHTTPRequestHandler):
    """Serves a folder and remembers what was asked of it."""

    def __init__(self, *args, asked: list[str], **kwargs) -> None:
        self.asked = asked
        super().__init__(*args, **kwargs)

    def do_GET(self) -> None:
        self.asked.append(self.path)
        super().do_GET()

    def log_message(self, *_) -> None:
        """Say nothing; among others of the TLS that a browser tries on its own."""


@contextmanager
def serving(folder) -> Iterator[tuple[int, list[str]]]:
    asked: list[str] = []
    handler = partial(Handler, directory=str(folder), asked=asked)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port, asked
        server.shutdown()


def browse(folder, html):
    """Open a page in frames; return what was found, asked for, and complained of."""
    (folder / "report.html").write_text(html, encoding="utf-8")
    (folder / "probe.html").write_text(PROBE, encoding="utf-8")
    with serving(folder) as (port, asked):
        done = subprocess.run(
            [
                BROWSER,
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-dev-shm-usage",
                "--no-first-run",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
                "--disable-features=NetworkTimeServiceQuerying",
                f"--user-data-dir={folder / 'profile'}",
                # whatever host a page might ask is answered, and noted, here
                f"--host-resolver-rules=MAP * 127.0.0.1:{port}",
                "--virtual-time-budget=5000",
                "--enable-logging=stderr",
                "--dump-dom",
                f"http://127.0.0.1:{port}/probe.html",
            ],
            capture_output=True,
            text=True,
            check=True,
            timeout=120,
            env=os.environ | {"HOME": str(folder)},
        )
    found = re.search(r'data-found="([^"]*)"', done.stdout)
    assert found, (
        f"the probe did not run:\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
    )
    complaints = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
    return json.loads(found[1].replace("&quot;", '"')), set(asked), complaints


@pytest.mark.parametrize("name", ["complete", "hostile", "failures"])
def test_the_page_fits_and_asks_for_nothing(name, pages, tmp_path):
    found, asked, complaints = browse(tmp_path, pages[name].html)
    assert set(found) == {"390", "1280"}
    for width, frame in found.items():
        assert frame["height"] > 1000, f"nothing is shown at {width}"
        assert frame["overflow"] <= 0, f"scrolls sideways at {width}"
        assert frame["beyond"] == [], f"reaches beyond {width}"
    assert asked == {"/probe.html", "/report.html?390", "/report.html?1280"}
    assert not complaints


def test_the_probe_finds_what_it_looks_for(tmp_path):
    # a page that overflows, fetches and complains is caught by the same means
    found, asked, complaints = browse(
        tmp_path,
        '<!doctype html><link rel="stylesheet" href="http://elsewhere.test/other.css">'
        '<div class="wide" style="width:3000px">x</div>'
        "<script>throw new Error('loud')</script>",
    )
    assert found["390"]["overflow"] > 0
    assert found["390"]["beyond"] == ["DIV.wide"]
    assert "/other.css" in asked
    assert any("loud" in line for line in complaints)
