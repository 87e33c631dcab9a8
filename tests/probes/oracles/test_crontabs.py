"""Crontabs that Debian's cron can read: its own `crontab -n` is the oracle."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsverify.probes.host.system import cron
from tests.pace import HANGS

PROGRAM = Path(cron.__file__).with_name("crontab.awk")
AWKS = {"mawk": ["mawk"], "gawk": ["gawk", "--posix"], "busybox": ["busybox", "awk"]}
DEBIANS = Path("/var/lib/dpkg/info/cron.list").exists() and os.geteuid() == 0
pytestmark = pytest.mark.skipif(not DEBIANS, reason="Debian's cron is not installed, or this is not root")

CASES = [
    "* * * * * x", "*/5 0-23/2 1,15 jan-dec mon-fri x", "61 * * * * x", "1/20 * * * * x", "5-64/30 * * * * x", "* * 0 * * x",
    "* 24 * * * x", "* * * 13 * x", "* * * * 8 x", "* * * * 7 x", "* * * * Sun,SAT x", "* * * january * x", "*/0 * * * * x",
    "5, * * * * x", ",5 * * * * x", "5! * * * * x", "*x * * * * x", "-5 * * * * x", "5- * * * * x", "5-3 * * * * x",
    "jan * * * * x", "* * * * *", "* * * * * ", "* * * * * *", "* * * * * * x", "* * * *", "@daily x", "@daily", "@Daily x",
    "@daily *", "@every x", "@", "@reboot\tx", "\t* * * * * x", "\r", "* * * * * x\r", "# x", "   # x", "", "  ", "A=b",
    "A =b", "A = b", "A=", "A= ", 'A=""', "A='b'", 'A="b" c', 'A="b', '"A B"=c', '"A=B"=c', "A B=c", "=c", "=", "A", "A=b=c",
    "A='b\"", "A=b\r", 'A="b" \r', "'A'=b", "'A=b", "* * * * * A=b", "*=5 * * * * x", "MAILTO=root", "[Unit]", "x" * 2000,
    "* * * * * " + "x" * 998, "* * * * * " + "x" * 999, "A=" + "x" * 2000, "1\v* * * * * x",
]  # fmt: skip


def cron_reads(text: str, folder: Path) -> bool:
    """Whether cron's own reader takes it; it only looks (-n)."""
    file = folder / "crontab"
    file.write_bytes(text.encode())
    done = subprocess.run(["/usr/bin/crontab", "-n", file], capture_output=True, text=True, check=False, timeout=HANGS)
    assert done.returncode == 0 or "errors in crontab file" in done.stderr, done.stderr
    return done.returncode == 0


def we_read(text: str, folder: Path, awk: str, *, system: bool = False) -> str:
    file = folder / "ours"
    file.write_bytes(text.encode())
    command = [*AWKS[awk], "-v", f"system_crontab={int(system)}", "-f", PROGRAM, file]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=HANGS).stdout


@pytest.mark.parametrize("awk", AWKS)
def test_lines_that_cron_reads(tmp_path: Path, awk: str) -> None:
    if shutil.which(AWKS[awk][0]) is None:
        pytest.skip(f"{awk} is not installed")
    for line in CASES:
        read = cron_reads(f"{line}\n", tmp_path)
        assert (we_read(f"{line}\n", tmp_path, awk) == "") is read, repr(line)


NUMBER = st.one_of(st.integers(0, 75).map(str), st.sampled_from(["jan", "Dec", "sun", "MON", "x", "", "0x1", "007"]))
RANGE = st.one_of(st.just("*"), NUMBER, st.tuples(NUMBER, NUMBER).map("-".join))
STEPPED = st.one_of(RANGE, st.tuples(RANGE, NUMBER).map("/".join))
FIELD = st.one_of(
    st.just("*"), st.lists(STEPPED, min_size=1, max_size=3).map(",".join), st.text("*/-,0159 \t!a=\"'\r", max_size=5)
)
BLANK = st.sampled_from([" ", "\t", "  ", ""])
ENTRY = st.tuples(*[FIELD, BLANK] * 5, st.sampled_from(["x", "", "*", "A=b"])).map("".join)
SETTING = st.text("Aa =\"'\t\r#b", max_size=8)
LINES = st.lists(st.one_of(ENTRY, SETTING), min_size=1, max_size=3).map(
    lambda lines: "".join(f"{one}\n" for one in lines)
)


@given(text=LINES)
def test_whatever_cron_reads_is_read_and_nothing_else(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    folder = tmp_path_factory.getbasetemp()
    assert (we_read(text, folder, "mawk") == "") is cron_reads(text, folder)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("* * * * * root x", "user root\n"),
        ("@daily nobody x", "user nobody\n"),
        ("* * * * * root", "line 2: a user, or a command, is missing\n"),
        ("@daily", "line 2: a user, or a command, is missing\n"),
        ("61 * * * * root x", "line 2: bad minute\n"),
        ("@often root x", "line 2: no such time as @often\n"),
    ],
)
def test_system_crontabs_name_users(tmp_path: Path, line: str, says: str) -> None:
    assert we_read(f"# head\n{line}\n", tmp_path, "mawk", system=True) == says
