"""What the reports of 6,000 checks cost, beside those of plain tests: `python -m benchmarks.reporting [PAIRS]`."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

ROOT = Path(__file__).parents[1]
OPTIONS = ["--html=report.html", "--self-contained-html", "--junitxml=report.xml", "--tb=no", "-q"]
OPTIONS += ["-p", "no:cacheprovider", "-p", "no:pytest11.testinfra", "-p", "no:hypothesispytest", "-c", os.devnull]
SIZES = ["report.html", "report.xml", "output.txt"]


def timed(command: list[str], folder: Path, expected: int) -> float:
    """Wall seconds of a command that must end with that exit code; what it prints is in output.txt."""
    with (folder / "output.txt").open("w") as output:
        began = time.perf_counter()
        done = subprocess.run(
            command,
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=output,
            stderr=subprocess.STDOUT,
            check=False,
        )
        took = time.perf_counter() - began
    if done.returncode != expected:
        raise SystemExit(f"{' '.join(command)}\n{(folder / 'output.txt').read_text()[-4000:]}")
    return took


def ran(kind: str, scratch: Path) -> tuple[float, Path]:
    """Seconds of the run of that kind, and the folder with what it left."""
    folder = scratch / kind
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(ROOT / "benchmarks" / "reports" / kind, folder)
    return timed([sys.executable, "-m", "pytest", "--rootdir=.", *OPTIONS, "."], folder, expected=1), folder


def opened(browser: str, folder: Path) -> float:
    """Seconds of a browser without a window until it has drawn the report."""
    page = (folder / "report.html").as_uri()
    scratch = folder / "browser"
    scratch.mkdir(exist_ok=True)
    options = ["--headless", "--no-sandbox", "--window-size=1400,2000", f"--screenshot={scratch / 'report.png'}"]
    return timed([browser, *options, page], scratch, expected=0)


def main(pairs: int) -> None:
    """Run both kinds in turn and print what they cost."""
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    print(f"{pairs} pairs; seconds are medians, ratios are medians over pairs")
    runs: dict[str, list[float]] = {"ours": [], "plain": []}
    views: dict[str, list[float]] = {"ours": [], "plain": []}
    sizes: dict[str, list[int]] = {}
    with tempfile.TemporaryDirectory() as scratch:
        for _ in range(pairs):
            for kind, times in runs.items():
                took, folder = ran(kind, Path(scratch))
                times.append(took)
                sizes[kind] = [(folder / name).stat().st_size for name in SIZES]
                if browser:
                    views[kind].append(opened(browser, folder))
    tell("the whole run", runs)
    if browser:
        tell("the browser opens the report", views)
    for name, ours, plain in zip(SIZES, sizes["ours"], sizes["plain"], strict=True):
        print(f"  {name}: ours {ours / 1e6:.2f} MB · plain {plain / 1e6:.2f} MB")


def tell(what: str, times: dict[str, list[float]]) -> None:
    """Print the seconds of both kinds, and the ratio of each pair."""
    ours, plain = times["ours"], times["plain"]
    print(f"  {what}: ours {median(ours):.2f} s · plain {median(plain):.2f} s")
    print(f"  plain / ours: {median(p / o for p, o in zip(plain, ours, strict=True)):.2f}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3)
