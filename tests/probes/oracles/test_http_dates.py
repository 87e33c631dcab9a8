"""Dates of HTTP in its three forms, as Node.js reads them: RFC 9110, 5.6.7."""

from __future__ import annotations

import json
import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from opsverify.probes.http.transport import _http_date

BEGIN = datetime(2026, 11, 27, 23, 59, 59, tzinfo=UTC)
MOMENTS = [BEGIN + timedelta(days=37 * n, seconds=4711 * n) for n in range(40)]
FORMS = {
    "IMF-fixdate": lambda when: format_datetime(when, usegmt=True),
    "RFC 850": lambda when: when.strftime("%A, %d-%b-%y %H:%M:%S GMT"),
    "asctime": lambda when: f"{when:%a %b} {when.day:2d} {when:%H:%M:%S %Y}",
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_is_read_as_node_reads_it(form: str) -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("Node.js is not installed")
    texts = [FORMS[form](when) for when in MOMENTS]
    # asctime has no zone, and RFC 9110 says it is UTC; Node.js would take its own.
    program = "console.log(JSON.stringify(JSON.parse(process.argv[1]).map(t => Date.parse(t) / 1000)))"
    done = subprocess.run([node, "-e", program, json.dumps(texts)], env={"TZ": "UTC"}, capture_output=True, check=True)
    read = [_http_date(text) for text in texts]
    assert [when.timestamp() if when else None for when in read] == json.loads(done.stdout)
    assert read == MOMENTS


@pytest.mark.parametrize("text", ["", "now", "Fri, 99 Nov 2026 10:00:00 GMT", "2026", "0", "Fri, 27 Nov 2026"])
def test_what_is_no_date_is_none(text: str) -> None:
    assert _http_date(text) is None
