"""Crontabs and what heeds them: the real cron of Debian, run where it sees nothing of the machine's, is the oracle."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from opsverify.probes.host.question import Answer
from opsverify.probes.host.system.cron import Cron, CronFacts
from rehearsal.faults.volumes import without_mounts

CRON = next((p for p in (shutil.which("cron"), "/usr/sbin/cron") if p and Path(p).exists()), None)
real = pytest.mark.skipif(without_mounts() != "", reason=without_mounts())
# Folders and a /proc of its own; `w` writes a file that leaves a mark of that name when cron starts.
BEGIN = """
mount -t tmpfs none /mnt; cd /mnt; mkdir d daily ran spool run bin; mkdir -p spool/cron/crontabs
for d in d daily; do mkdir -p /etc/cron.$d; mount --bind /mnt/$d /etc/cron.$d; done
mount --bind /mnt/spool /var/spool; mount --bind /mnt/run /run
w() { printf "@reboot root touch /mnt/ran/$1\\n" > "/etc/cron.d/$1"; chmod 644 "/etc/cron.d/$1"; }
daemon() { # NAME: a process of that name
cp "$(command -v sleep)" "bin/$1"; "bin/$1" 600 & p=$!; until grep -q "$1" /proc/$p/comm; do :; done
}
"""
NAMESPACES = ["unshare", "--mount", "--pid", "--fork", "--mount-proc", "--kill-child", "--propagation", "private"]


def seen(steps: str, text: str = "touch", *, user: str = "") -> tuple[CronFacts, list[str]]:
    """What the question says after these steps of a shell, and what else they print."""
    asks = f'{user} sh -c "$0"'
    script = "".join(helper.text for helper in Cron.helpers) + Cron(text).script()
    done = subprocess.run(
        [*NAMESPACES, "sh", "-ec", f"{BEGIN}{steps}\necho '== asked'\n{asks}", script],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": f"{os.environ['PATH']}:/usr/sbin", "HOME": "/mnt"},
    )
    assert done.returncode == 0, done.stderr
    before, _, output = done.stdout.partition("== asked\n")
    return Cron(text).parse(Answer(output.encode())), before.splitlines()


@real
@pytest.mark.skipif(CRON is None, reason="Debian's cron is not installed")
def test_what_debians_cron_leaves_alone_is_no_schedule() -> None:
    steps = f"""
    for f in good under_score dot.cron tilde~ loose other cut private program; do w $f; done
    chmod 664 /etc/cron.d/loose; chown daemon /etc/cron.d/other; chmod 600 /etc/cron.d/private
    chmod 755 /etc/cron.d/program; printf '@reboot root touch /mnt/ran/cut' > /etc/cron.d/cut
    w syntax; printf '61 * * * * root x\\n' >> /etc/cron.d/syntax
    w user; printf '@daily nobody-of-that-name x\\n' >> /etc/cron.d/user
    w linked; mv /etc/cron.d/linked /mnt/real; ln -s /mnt/real /etc/cron.d/linked
    {CRON} -f & p=$!
    # It starts what it heeds all at once, in the order of the folder.
    until [ "$(ls /mnt/ran | wc -l)" -ge 5 ]; do sleep 0.05; done; sleep 0.2; ls /mnt/ran
    """
    facts, ran = seen(steps)
    assert sorted(place.removeprefix("/etc/cron.d/") for place in facts.places) == sorted(ran)
    assert {reason.split(":")[0].removeprefix("/etc/cron.d/") for reason in facts.refused} == {
        "dot.cron", "tilde~", "loose", "other", "cut", "syntax", "user"}  # fmt: skip
    assert "/etc/cron.d/syntax: cron cannot read its line 2: bad minute" in facts.refused
    assert "/etc/cron.d/user: there is no user nobody-of-that-name" in facts.refused
    assert facts.daemon is True


@real
@pytest.mark.parametrize(
    ("steps", "daemon"),
    [
        ("", False),
        ("daemon cron", True),
        ("daemon crond", True),
        ("daemon cronie-helper", False),
        ("daemon cron; kill -STOP $p", False),
    ],
)
def test_whether_a_cron_daemon_runs(steps: str, daemon: bool) -> None:
    # Without a systemd that would know of units: what this machine's says is no part of the test.
    facts, _ = seen(
        f"printf '#!/bin/sh\\nexit 1\\n' > bin/systemctl; chmod +x bin/systemctl; PATH=/mnt/bin:$PATH; {steps}"
    )
    assert facts.daemon is daemon


@real
def test_processes_of_others_that_may_not_be_seen_prove_nothing() -> None:
    hidden = "daemon cron; mount -o remount,hidepid=2 /proc"
    nobody = "setpriv --reuid=65534 --regid=65534 --clear-groups"
    assert seen(hidden, user=nobody)[0].daemon is None
    assert seen(hidden)[0].daemon is True


@real
@pytest.mark.parametrize(
    ("units", "daemon"),
    [
        ("LoadState=loaded\\nActiveState=active", True),
        ("LoadState=not-found\\nActiveState=inactive\\n\\nLoadState=loaded\\nActiveState=inactive", False),
        ("LoadState=loaded\\nActiveState=inactive\\n\\nLoadState=loaded\\nActiveState=active", True),
    ],
)
def test_units_count_more_than_processes_which_may_be_a_containers(units: str, daemon: bool) -> None:
    steps = f"daemon cron; printf '#!/bin/sh\\nprintf \"{units}\\\\n\"\\n' > bin/systemctl; chmod +x bin/systemctl"
    assert seen(f"{steps}; PATH=/mnt/bin:$PATH")[0].daemon is daemon


@real
@pytest.mark.skipif(shutil.which("run-parts") is None, reason="there is no run-parts")
def test_scripts_of_cron_daily_count_where_run_parts_runs_them() -> None:
    steps = """
    for f in backup backup.sh other; do printf '#!/bin/sh\\n/srv/backup.sh\\n' > daily/$f; chmod 755 daily/$f; done
    chmod 644 daily/other
    """
    facts, _ = seen(steps, "/srv/backup.sh")
    assert facts.places == ("/etc/cron.daily/backup",)
    assert len(facts.refused) == 2
