"""Node.js itself writes NestJS's dates in every locale that it has: each is read rightly, or not at all."""

from __future__ import annotations

import json
import shutil
import subprocess
from datetime import UTC, datetime

import pytest

from opsverify.probes.host.shell_file import ShellFile

AWKS = {"mawk": ["mawk"], "gawk": ["gawk"], "busybox": ["busybox", "awk"]}
LATIN = (
    "en de fr es it pt pt-BR nl pl cs sk sl hr sr ru uk bg ro hu tr ja zh zh-TW zh-HK ko sv da nb fi en-GB en-AU en-IN"
)
LATIN += " en-CA en-ZA fr-CA fr-CH es-MX es-CO vi el id th lt lv et ar he"
MOMENTS = [(2026, 11, 26, 17, 5, 7), (2026, 11, 26, 0, 0, 9), (2026, 11, 26, 12, 30, 0), (2026, 2, 28, 9, 59, 59),
           (2026, 3, 15, 23, 0, 0)]  # fmt: skip
"""No day of these could be a month; what could is read as the log's other lines are."""

WRITING = """
const options = {year: 'numeric', hour: 'numeric', minute: 'numeric', second: 'numeric', day: '2-digit', month: '2-digit'};
const [locales, moments] = JSON.parse(process.argv[1]);
const all = locales || [...new Set('aabcdefghijklmnopqrstuvwxyz'.split('').flatMap(a =>
  'abcdefghijklmnopqrstuvwxyz'.split('').map(b => a + b)))].filter(l => Intl.DateTimeFormat.supportedLocalesOf(l).length);
const made = {};
for (const locale of all) made[locale] = moments.map(([y, m, d, ...clock]) =>
  new Date(y, m - 1, d, ...clock).toLocaleString(locale, options));
console.log(JSON.stringify(made));
"""


def written(locales: list[str] | None) -> dict[str, list[str]]:
    node = shutil.which("node")
    if node is None:
        pytest.skip("Node.js is not installed")
    arguments = json.dumps([locales, MOMENTS])
    done = subprocess.run([node, "-e", WRITING, arguments], env={"TZ": "UTC"}, capture_output=True, check=True)
    made: dict[str, list[str]] = json.loads(done.stdout)
    return made


def read(awk: str, texts: list[str]) -> list[int]:
    """What our awk makes of lines of one log."""
    if shutil.which(AWKS[awk][0]) is None:
        pytest.skip(f"{awk} is not installed")
    functions = (ShellFile("opsverify.probes.host.logs", f"{name}.awk").text for name in ("when", "printed"))
    program = "\n".join([*functions, '{ printf "%.0f\\n", when($0) }'])
    lines = "".join(f"[Nest] 4711  - {text}     LOG [Cats] 10/11/2026, 3:04:05 PM\n" for text in texts)
    variables = ["-v", "now=1795000000", "-v", "since=0", "-v", "offset=0", "-v", "year=2026"]
    done = subprocess.run([*AWKS[awk], *variables, program], input=lines.encode(), capture_output=True, check=True,
                          env={"LC_ALL": "C", "PATH": "/usr/bin:/bin"})  # fmt: skip
    return [int(line) for line in done.stdout.split()]


RIGHT = [int(datetime(*moment, tzinfo=UTC).timestamp()) for moment in MOMENTS]


@pytest.mark.parametrize("awk", AWKS)
def test_the_locales_of_most_people_are_read(awk: str) -> None:
    wrong = {locale: texts for locale, texts in written(LATIN.split()).items() if read(awk, texts) != RIGHT}
    assert wrong == {}


def test_no_locale_is_read_wrongly() -> None:
    made = written(None)
    assert len(made) > 80
    wrong = {}
    for locale, texts in made.items():
        seen = read("mawk", texts)
        if any(one not in (-1, right) for one, right in zip(seen, RIGHT, strict=True)):
            wrong[locale] = list(zip(texts, seen, strict=True))
    assert wrong == {}
