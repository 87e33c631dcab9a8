"""Pictures of the HTML report in every state: `python -m docs.pictures [NAME ...]`, beside this file.

Runs the rehearsal, well and broken, after a month of nights that never were. Needs tests/requirements.txt, Chromium and
a font with Japanese letters (Debian: fonts-noto-cjk). Whoever changes how the report looks makes them anew, and looks.
"""

from __future__ import annotations

import io
import json
import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from benchmarks.report import chromium, ran
from opsverify.config.history_location import locate
from opsverify.history.records import RunRecord
from opsverify.history.store import Store
from opsverify.reporting.results import Result

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
NIGHTS = 29
CERTIFICATE = "certificate-expiry"
"""Of which the last nights have warned already."""
MOST_BYTES = 150_000

BROKEN = ("dump-truncated", "passwords-guessed", "certificate-expires-soon", "headers-missing", "operations-undated")
A4 = (710, 1039)
"""What margins leave of a page, in the pixels of CSS."""


@dataclass(frozen=True)
class Picture:
    """A report, and how it is looked at."""

    faults: Sequence[str] = ()
    arguments: Sequence[str] = ()
    size: tuple[int, int] = (1280, 860)
    context: Mapping[str, Any] = field(default_factory=dict)
    unfolded: int | None = None
    """Which of the findings is unfolded."""
    paper: bool = False


PICTURES = {
    "healthy": Picture(),
    "degraded": Picture(("connections-leak", "query-slow", "dump-mode-loose")),
    "broken": Picture(BROKEN, size=(1280, 960), unfolded=0),
    "broken.ja": Picture(BROKEN, ("--language=ja",), size=(1280, 960), unfolded=0),
    "partial": Picture(("database-down",), ("--maxfail=8",)),
    "many": Picture(),
    "narrow": Picture(BROKEN, size=(390, 844), context={"is_mobile": True, "device_scale_factor": 1.5}, unfolded=0),
    "dark": Picture(BROKEN, context={"color_scheme": "dark"}, unfolded=1),
    "print": Picture(BROKEN, size=A4, paper=True),
}


def month(scratch: Path) -> None:
    """Make a history with a month of nights in which all was well, but for a certificate at the end."""
    json_file = scratch / "well.json"
    rehearsed(scratch, f"--json={json_file}", "--history=none")
    checks = json.loads(json_file.read_text())["results"]
    store = Store(locate(f"sqlite:///{scratch / 'history.db'}", ROOT))
    chance = random.Random(4)  # noqa: S311 - the same in every picture
    for night in range(NIGHTS, 0, -1):
        began = datetime.now(UTC) - timedelta(days=night)
        results = [earlier(check, night, chance) for check in checks]
        store.write([RunRecord("rehearsal", "", began, began, 0, False, "", "-m daily", results)])


def earlier(check: Mapping[str, Any], night: int, chance: random.Random) -> Result:
    """What a check may have found so many nights ago."""
    value = check["value"]
    if value is not None:
        value = repr(value * (1 + chance.uniform(-0.2, 0.2)) if check["unit"] != "days" else value + night)
    result = Result(
        check["nodeid"],
        runbook=check["check"] or "",
        environment="rehearsal",
        target=check["target"] or "",
        target_kind=check["target_kind"] or "",
        severity=check["severity"] or "",
        verdict=check["verdict"] if check["verdict"] == "not applicable" else "normal",
        unit=check["unit"],
        value=value or "",
    )
    if result.runbook == CERTIFICATE:
        return replace(result, verdict="warning" if night < 4 else "normal", value=repr(20.0 + night))
    return result


def rehearsed(scratch: Path, *arguments: str) -> Path:
    """The report of a run of the rehearsal."""
    report = scratch / "report.html"
    # What a busy machine warns of is not what is to be shown.
    command = [sys.executable, "-m", "pytest", "-q", "--env", "rehearsal", "-k", "not cpu_usage", "--no-notify"]
    command += [f"--html={report}", f"--junit-xml={scratch / 'junit.xml'}", *arguments]
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, "TZ": "Asia/Tokyo"}, capture_output=True, text=True)
    if done.returncode not in (0, 1):
        raise SystemExit(done.stdout[-4000:] + done.stderr[-4000:])
    return report


def look(browser: Any, report: Path, picture: Picture) -> bytes:
    """What somebody sees who opens the report so, as PNG."""
    width, height = picture.size
    context = browser.new_context(viewport={"width": width, "height": height}, **picture.context)
    page = context.new_page()
    page.goto(report.as_uri())
    if picture.paper:
        page.emulate_media(media="print")
        page.evaluate("dispatchEvent(new Event('beforeprint'))")
    if picture.unfolded is not None:
        page.locator(".ov-findings summary").nth(picture.unfolded).click()
        page.mouse.move(0, 0)
        page.evaluate("document.activeElement.blur()")
    image: bytes = page.screenshot()
    context.close()
    return image


def small(image: bytes) -> bytes:
    """The same picture in as many colours as a report has."""
    from PIL import Image

    written = io.BytesIO()
    picture = Image.open(io.BytesIO(image)).convert("RGB")
    colours = picture.quantize(256, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    colours.save(written, "PNG", optimize=True)
    return written.getvalue()


def main(names: Sequence[str]) -> None:
    """Make those pictures; a report that several show is made once."""
    unknown = set(names) - set(PICTURES)
    if unknown:
        raise SystemExit(f"{', '.join(sorted(unknown))}: found no such picture, allowed {', '.join(PICTURES)}")
    with tempfile.TemporaryDirectory(prefix="pictures-") as folder, chromium() as browser:
        if browser is None:
            raise SystemExit("pictures take Chromium and playwright (tests/requirements.txt)")
        scratch = Path(folder)
        month(scratch)
        made: dict[object, Path] = {}

        def report(name: str, picture: Picture) -> Path:
            if name == "many":
                return ran("ours", scratch, 6000, alike=True)[1] / "report.html"
            history = scratch / f"{len(made)}.db"
            history.write_bytes((scratch / "history.db").read_bytes())  # each is the night after the same month
            faults = [f"--fault={fault}" for fault in picture.faults]
            path = rehearsed(scratch, f"--history=sqlite:///{history}", *faults, *picture.arguments)
            return path.rename(scratch / f"{name}.html")

        for name, picture in PICTURES.items():
            if name not in names:
                continue
            key = name if name == "many" else (tuple(picture.faults), tuple(picture.arguments))
            if key not in made:
                made[key] = report(name, picture)
            image = small(look(browser, made[key], picture))
            (HERE / f"{name}.png").write_bytes(image)
            print(f"{name}: {len(image) / 1000:.0f} kB{' TOO LARGE' if len(image) > MOST_BYTES else ''}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:] or list(PICTURES))
