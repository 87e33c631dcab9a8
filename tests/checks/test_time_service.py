"""time-synchronised, with a real chrony that may not touch the clock, and what other time services say."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from opsverify.errors import NotApplicable, ProbeError
from opsverify.probes.host.files.listing import clock
from opsverify.probes.host.question import Answer
from opsverify.probes.host.system.time_service import SILENT_SECONDS, TimeSynchronisation
from tests.pace import HANGS

STARTED = """
ip link set lo up
chronyd -x -d -f "$1/chrony.conf" -u root >"$1/log" 2>&1 &
trap 'kill $!' EXIT
until chronyc -c -n tracking >/dev/null 2>&1; do sleep 0.1; done
n=0; while [ -n "$2" ] && [ $n -lt 300 ] && ! chronyc -c -n tracking | grep -q "$2"; do sleep 0.1; n=$((n + 1)); done
"""


def chrony(folder: Path, directives: str, wanted: str = "") -> Answer:
    """What the script says beside a real chronyd, in a network of its own; as on a machine that is no container."""
    if os.geteuid() != 0 or not all(map(shutil.which, ("chronyd", "chronyc", "unshare", "ip"))):
        pytest.skip("chrony is not installed, or this is not root")
    folder.chmod(0o700)
    (folder / "chrony.conf").write_text(f"pidfile {folder}/pid\nbindcmdaddress {folder}/sock\nport 0\n{directives}")
    script = TimeSynchronisation().script().replace("systemd-detect-virt", "no-such").replace("/.dockerenv", "/no-such")
    command = ["unshare", "--net", "sh", "-c", f"{STARTED}\n{script}", "sh", folder, wanted]
    done = subprocess.run(command, capture_output=True, timeout=HANGS, check=False)
    if b"unshare" in done.stderr:
        pytest.skip("no network namespace here")
    return Answer(done.stdout, done.returncode, done.stderr.decode())


def test_chrony_without_servers(tmp_path: Path, judged) -> None:
    facts = TimeSynchronisation().parse(chrony(tmp_path, ""))
    assert "chronyd" in facts.services
    seen = judged("reachability", "time-synchronised", time_service=facts).worst
    assert seen.verdict == "alert"
    assert seen.observed.endswith("not synchronised by the word of chrony")


def test_chrony_that_is_synchronised(tmp_path: Path, judged) -> None:
    facts = TimeSynchronisation().parse(chrony(tmp_path, "local stratum 8\n", "Normal"))
    assert facts.synchronised
    assert judged("reachability", "time-synchronised", time_service=facts).worst.verdict == "normal"


def test_chrony_that_lost_its_sources(tmp_path: Path, judged) -> None:
    """It stays "Normal": only its last measurement grows old, which a clock set forward shows at once."""
    answer = chrony(tmp_path, "local stratum 8\n", "Normal")
    tracking = answer.block("chrony").rest.split(",")
    for age, verdict in ((3600, "normal"), (SILENT_SECONDS + 3600, "alert")):
        tracking[3] = str(clock(answer).timestamp() - age)
        lines = answer.lines
        lines = [f"== chrony {','.join(tracking)}" if line.startswith("== chrony") else line for line in lines]
        facts = TimeSynchronisation().parse(Answer("".join(f"{line}\n" for line in lines).encode()))
        seen = judged("reachability", "time-synchronised", time_service=facts).worst
        assert seen.verdict == verdict
    assert seen.observed.endswith("not synchronised by the word of chrony, which measured nothing for 3 h")


def said(services: str, *more: str) -> Answer:
    lines = ["== clock 1795780800", "== services", *services.split(), *more, "== end"]
    return Answer("".join(f"{line}\n" for line in lines).encode())


@pytest.mark.parametrize(
    ("services", "more", "verdict"),
    [
        ("systemd-timesyn", ["== synchronized yes"], "normal"),
        ("systemd-timesyn", ["== synchronized no"], "alert"),
        ("", ["== synchronized yes"], "alert"),  # set by something that is gone
        ("", ["== synchronized no"], "alert"),
        ("", [], "alert"),
        ("ntpd", ["== ntp 00"], "normal"),
        ("ntpd", ["== ntp leap_alarm"], "alert"),
        ("ntpd", ["== ntp 11", "== synchronized yes"], "alert"),
        ("ntpd", ["== openntpd unsynced", "== synchronized yes"], "alert"),
        ("ntpd", ["== openntpd synced"], "normal"),
        ("chronyd", ["== synchronized yes"], "normal"),  # one that this account may not ask
        ("phc2sys ptp4l", ["== synchronized yes"], "normal"),
    ],
)
def test_what_time_services_say(judged, services, more, verdict) -> None:
    facts = TimeSynchronisation().parse(said(services, *more))
    assert judged("reachability", "time-synchronised", time_service=facts).worst.verdict == verdict


def test_what_says_nothing_of_the_clock() -> None:
    with pytest.raises(ProbeError, match="has no timedatectl, and ntpd said nothing"):
        TimeSynchronisation().parse(said("ntpd"))
    with pytest.raises(NotApplicable, match=r"a container \(lxc\) has the clock of its machine"):
        TimeSynchronisation().parse(Answer(b"== container lxc\n"))
    with pytest.raises(ProbeError):
        TimeSynchronisation().parse(Answer(b"== services\nchronyd\n"))
