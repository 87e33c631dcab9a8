"""What reports cost and how fast they open, beside plain ones: `python -m benchmarks.report [RESULTS ...]`.

By default 20, 500 and 6,000 results, and 6,000 of which no two are alike.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).parents[1]
OPTIONS = ["--html=report.html", "--self-contained-html", "--junitxml=report.xml", "--tb=no", "-q"]
OPTIONS += ["-p", "no:cacheprovider", "-p", "no:pytest11.testinfra", "-p", "no:hypothesispytest", "-c", os.devnull]
REPORT = "report.html"
SIZES = [REPORT, "report.xml", "output.txt"]
OPENINGS = 5
"""So many times each report is opened; the median counts."""
DRAWN = "new Promise(done => requestAnimationFrame(() => setTimeout(done)))"
"""Ends when the browser has drawn what is in view."""


def ran(kind: str, scratch: Path, results: int, *, alike: bool) -> tuple[float, Path]:
    """Wall seconds of the run of that kind, and the folder with what it left."""
    folder = scratch / kind
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(ROOT / "benchmarks" / "reports" / kind, folder)
    command = [sys.executable, "-m", "pytest", "--rootdir=.", *OPTIONS, "."]
    env = {**os.environ, "PYTHONPATH": str(ROOT), "RESULTS": str(results), "ALIKE": "yes" if alike else "no"}
    with (folder / "output.txt").open("w") as output:
        began = time.perf_counter()
        done = subprocess.run(command, cwd=folder, env=env, stdout=output, stderr=subprocess.STDOUT, check=False)
        took = time.perf_counter() - began
    if done.returncode != 1:
        raise SystemExit(f"{' '.join(command)}\n{(folder / 'output.txt').read_text()[-4000:]}")
    return took, folder


@contextmanager
def chromium() -> Iterator[Any]:
    """A Chromium that runs; None where there is none, or no playwright."""
    program = shutil.which("chromium") or shutil.which("google-chrome")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        program = None
    if program is None:
        yield None
        return
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


def opened(browser: Any, report: Path) -> float:
    """Seconds from the address to a page that is drawn, in a browser that runs already."""
    times = []
    for _ in range(OPENINGS):
        page = browser.new_page(viewport={"width": 1400, "height": 1000})
        began = time.perf_counter()
        page.goto(report.as_uri())
        page.evaluate(DRAWN)
        times.append(time.perf_counter() - began)
        page.close()
    return median(times)


def measure(results: int, scratch: Path, browser: Any, *, alike: bool) -> None:
    """Run both kinds, and print what they cost."""
    told = "" if alike else ", no two alike"
    print(f"{results:,} results{told}")
    took, folders = zip(*(ran(kind, scratch, results, alike=alike) for kind in ("ours", "plain")), strict=True)
    tell("the whole run", "s", took)
    if browser:
        tell("Chromium has drawn it", "s", [opened(browser, folder / REPORT) for folder in folders])
    for name in SIZES:
        tell(name, "MB", [(folder / name).stat().st_size / 1e6 for folder in folders])


def tell(what: str, unit: str, both: Sequence[float]) -> None:
    """Print a figure of both kinds, and their ratio."""
    ours, plain = both
    print(
        f"  {what:22} ours {ours:6.2f} {unit} · plain {plain:6.2f} {unit} · plain / ours {plain / ours:.2f}", flush=True
    )


def main(sizes: Sequence[int]) -> None:
    """Measure each size."""
    with tempfile.TemporaryDirectory() as scratch, chromium() as browser:
        if browser is None:
            print("no Chromium, or no playwright: opening is not measured")
        for results in sizes:
            measure(results, Path(scratch), browser, alike=True)
        measure(max(sizes), Path(scratch), browser, alike=False)


if __name__ == "__main__":
    main([int(text) for text in sys.argv[1:]] or [20, 500, 6000])
