"""How Node.js ends: each way is one error in the application's log, and what is no end is none."""

from __future__ import annotations

import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from opsverify.config.environment import Host
from opsverify.errors import ProbeError
from opsverify.evidence.deadline import Deadline
from opsverify.probes.host.logs.application import ApplicationFacts, ApplicationLog
from opsverify.probes.host.logs.window import Source
from opsverify.probes.host.probe import probe
from tests.pace import AMPLE, HANGS

HOST = Host(connection="local://", name="here", deadline=AMPLE)

ENDS = {
    "Promise.reject({code: 'P2002'})": "UnhandledPromiseRejection",
    "Promise.reject(new Error('refused'))": "Error: refused",
    "throw 'text'": "text",
    "throw null": "null",
    "throw {a: 1}": "{ a: 1 }",
    "const e = new Error('gone'); e.name = 'ConnectionLost'; throw e": "ConnectionLost: gone",
    "class PrismaClientKnownRequestError extends Error {}; throw new PrismaClientKnownRequestError('bad')": "bad",
    "setTimeout(() => { throw new RangeError('later') }, 1)": "RangeError: later",
    "require('no-such-module')": "Cannot find module",
    "throw new AggregateError([new Error('a')], 'many')": "AggregateError: many",
    "JSON.parse('{')": "SyntaxError",
    "process.abort()": "native stack trace",
    "const all = []; while (true) all.push(new Array(1e6))": "heap out of memory",
    "console.error(Object.assign(new Error('handled'), {name: 'ConnectionLost'}))": "handled",
}
NO_ENDS = ["console.error({a: 1})", "process.emitWarning('careful')", "console.log('an ordinary line')"]


def output(program: str, folder: Path) -> str:
    node = shutil.which("node")
    if node is None:
        pytest.skip("Node.js is not installed")
    (folder / "main.js").write_text(program)
    done = subprocess.run([node, "--max-old-space-size=30", folder / "main.js"], capture_output=True, text=True,
                          timeout=HANGS, cwd=folder, check=False)  # fmt: skip
    return done.stdout + done.stderr


def read(folder: Path, text: str) -> ApplicationFacts:
    (folder / "app.log").write_text(text)
    question = ApplicationLog(Source(str(folder / "app.log")), 24)
    fact = probe(HOST, frozenset([question]), Deadline(AMPLE))[question]
    assert not isinstance(fact, ProbeError), fact
    return fact


def entry(level: int = 30, text: str = "well") -> str:
    return f'{{"level":{level},"time":{int(datetime.now(UTC).timestamp() * 1000)},"msg":"{text}"}}\n'


@pytest.mark.parametrize("program", ENDS)
def test_each_end_of_node_is_one_error(tmp_path: Path, program: str) -> None:
    said = output(program, tmp_path)
    for text in (entry() + said, entry() + said + entry()):
        errors = read(tmp_path, text).errors.listed
        assert [error.count for error in errors] == [1], (text, errors)
        assert ENDS[program] in errors[0].text
    # A service that is started again and again, and never gets as far as its first entry.
    if "Node.js v" in said:
        assert [error.count for error in read(tmp_path, entry() + 3 * said).errors.listed] == [3]


@pytest.mark.parametrize("program", [program for program in ENDS if not program.startswith("console")])
def test_an_end_right_behind_an_error_is_another(tmp_path: Path, program: str) -> None:
    said = output(program, tmp_path)
    if "Node.js v" not in said:
        pytest.skip("it says nothing of Node.js")
    errors = read(tmp_path, entry(50, "it begins") + said + entry()).errors.listed
    assert sum(error.count for error in errors) == 2, errors


@pytest.mark.parametrize("program", NO_ENDS)
def test_what_is_no_end_is_no_error(tmp_path: Path, program: str) -> None:
    assert read(tmp_path, entry() + output(program, tmp_path) + entry()).errors.listed == ()


@pytest.mark.parametrize(
    ("line", "is_error"),
    [
        ('{{"severity":"ERROR",{now},"message":"x"}}', True),
        ('{{"severity":"CRITICAL",{now},"message":"x"}}', True),
        ('{{"severity":"INFO",{now},"message":"x","req":{{"level":"error"}}}}', False),
        ('{{{now},"req":{{"level":50}},"level":30,"msg":"x"}}', False),
        ('{{{now},"req":{{"level":30}},"level":50,"msg":"x"}}', True),
        ('{{{now},"list":[{{"level":50}}],"msg":"\\"level\\":50","level":"info"}}', False),
        ('{{{now},"msg":"{{\\"level\\":\\"error\\"}}","level":"warn"}}', False),
        ('{{{now},"log.level":"error","message":"x"}}', True),
        ('{{{now},"lvl":"eror","msg":"x"}}', True),
        ('{{{now},"levelname":"CRITICAL","msg":"x"}}', True),
        ('{{{now},"severity":3,"msg":"x"}}', True),
        ('{{{now},"severity":4,"msg":"x"}}', False),
        ('{{ "level" : "error" , {now}, "msg" : "x" }}', True),
        ('{{"level":60,{now},"msg":"x"}}', True),
        ('{{"level":"emerg",{now},"msg":"x"}}', True),
    ],
)
def test_levels_are_an_entrys_own(tmp_path: Path, line: str, is_error: bool) -> None:
    now = f'"time":"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.000Z}"'
    facts = read(tmp_path, line.format(now=now) + "\n")
    assert (bool(facts.errors.listed), facts.unlevelled, facts.window.lines) == (is_error, 0, 1)


def test_entries_without_a_level_are_counted(tmp_path: Path) -> None:
    now = f'"time":"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"'
    assert read(tmp_path, f'{{{now},"msg":"x","req":{{"level":30}}}}\n' + entry()).unlevelled == 1
