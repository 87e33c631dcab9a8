"""automatic-updates with a real apt-config on settings of the test's own, and what dnf's units say."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from opsverify.errors import NotApplicable, ProbeError
from opsverify.probes.host.question import Answer
from opsverify.probes.host.system.automatic_updates import UnattendedUpgrades

ACTIVE = "LoadState=loaded ActiveState=active UnitFileState=enabled"
NOW = 1795780800


def asked(folder: Path, settings: str, days: float | None) -> Answer:
    """What the script says on a host with these settings of apt, whose last upgrade ended so long ago."""
    if shutil.which("apt-config") is None:
        pytest.skip("apt is not installed")
    (folder / "apt.conf").write_text(settings)
    stamp = folder / "upgrade-stamp"
    if days is not None:
        stamp.touch()
        os.utime(stamp, (time.time() - 86400 * days,) * 2)
    tools = folder / "bin"
    tools.mkdir()
    (tools / "unattended-upgrade").write_text("#!/bin/sh\nexit 1\n")
    (tools / "unattended-upgrade").chmod(0o755)
    (tools / "systemctl").write_text(f'#!/bin/sh\necho "{ACTIVE}"\n')
    (tools / "systemctl").chmod(0o755)
    script = UnattendedUpgrades().script().replace("/var/lib/apt/periodic", str(folder))
    env = {"PATH": f"{tools}:/usr/bin:/bin", "APT_CONFIG": str(folder / "apt.conf")}
    empty = folder / "parts"
    empty.mkdir()
    (folder / "apt.conf").write_text(f'Dir::Etc::parts "{empty}";\nDir::Etc::main "/dev/null";\n{settings}')
    done = subprocess.run(["sh", "-c", script], env=env, capture_output=True, check=True)
    return Answer(done.stdout)


ON = 'APT::Periodic::Unattended-Upgrade "1";\n'


@pytest.mark.parametrize(
    ("settings", "days", "verdict"),
    [
        (ON, 0.5, "normal"),
        (ON, 7, "alert"),
        (ON, None, "alert"),
        ('APT::Periodic::Unattended-Upgrade "always";\n', 7, "alert"),
        ('APT::Periodic::Unattended-Upgrade "2d";\n', 0.5, "normal"),
        (ON + 'APT::Periodic::Enable "0";\n', 7, None),
        ('APT::Periodic::Unattended-Upgrade "0";\n', 7, None),
        ("", None, None),
        ('apt::periodic::unattended-upgrade "1";\n', 7, "alert"),
        (ON + 'Apt::Periodic { enable "0"; };\n', 7, None),
    ],
)
def test_apt_that_updates_itself(tmp_path, judged, settings, days, verdict):
    facts = UnattendedUpgrades().parse(asked(tmp_path, settings, days))
    if verdict is None:
        with pytest.raises(NotApplicable, match="does not update itself"):
            judged("security", "automatic-updates", automatic_updates=facts)
    else:
        assert judged("security", "automatic-updates", automatic_updates=facts).worst.verdict == verdict


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can ask as somebody else")
def test_settings_that_may_not_be_read_are_not_off(tmp_path):
    hidden = tmp_path / "hidden.conf"
    hidden.write_text(ON)
    hidden.chmod(0)
    tmp_path.chmod(0o755)
    script = UnattendedUpgrades().script()
    env = {"PATH": "/usr/bin:/bin", "APT_CONFIG": str(hidden)}
    # Folders above the test's are private: it is opened where nobody may look.
    command = ["setpriv", "--reuid=65534", "--clear-groups", "sh", "-c", script]
    done = subprocess.run(command, env=env, capture_output=True, check=True)
    with pytest.raises(ProbeError, match=r"apt's \S*hidden.conf may not be read"):
        UnattendedUpgrades().parse(Answer(done.stdout))


def said(*lines: str) -> Answer:
    return Answer("".join(f"{line}\n" for line in (f"== clock {NOW}", *lines, "== end")).encode())


def test_updates_that_nothing_starts(judged):
    lines = ("== manager apt", '== setting APT::Periodic::Unattended-Upgrade "1"', "== program", f"== done {NOW - 9}")
    idle = ACTIVE.replace("=active", "=inactive")
    facts = UnattendedUpgrades().parse(said(*lines, f"== timer apt-daily-upgrade.timer {idle}"))
    seen = judged("security", "automatic-updates", automatic_updates=facts).worst
    assert (seen.verdict, seen.observed) == ("alert", "apt-daily-upgrade.timer to start them, none active")


@pytest.mark.parametrize(
    ("apply", "timer", "service", "verdict"),
    [
        ("yes", "dnf-automatic.timer", f"Result=success ExecMainExitTimestamp=@{NOW - 9999}", "normal"),
        ("yes", "dnf5-automatic.timer", f"Result=exit-code ExecMainExitTimestamp=@{NOW - 9999}", "alert"),
        ("yes", "dnf-automatic.timer", f"Result=success ExecMainExitTimestamp=@{NOW - 999999}", "alert"),
        ("no", "dnf-automatic-install.timer", f"Result=success ExecMainExitTimestamp=@{NOW - 9999}", "normal"),
        ("no", "dnf-automatic.timer", f"Result=success ExecMainExitTimestamp=@{NOW - 9999}", None),
        ("yes", "dnf-automatic.timer", "Result=success ExecMainExitTimestamp=", "alert"),
    ],
)
def test_dnf_that_updates_itself(judged, apply, timer, service, verdict):
    lines = (
        "== manager dnf",
        f"== apply {apply}",
        f"== timer {timer} {ACTIVE}",
        f"== service x LoadState=loaded {service} ",
    )
    facts = UnattendedUpgrades().parse(said(*lines))
    assert facts.on is (verdict is not None)
    if verdict is not None:
        assert judged("security", "automatic-updates", automatic_updates=facts).worst.verdict == verdict


def test_settings_without_the_program_switch_nothing_on():
    lines = ("== manager apt", '== setting APT::Periodic::Unattended-Upgrade "1"', f"== done {NOW - 9}")
    assert not UnattendedUpgrades().parse(said(*lines)).on


def test_hosts_without_such_a_manager():
    assert not UnattendedUpgrades().parse(said("== manager none")).on
