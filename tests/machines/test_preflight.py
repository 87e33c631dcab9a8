"""What an account lacks on a host, told before a run: the commands are run on the host, and then it lacks it no more."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from rehearsal.machines.host import TestHost

from .conftest import EVERYTHING, Ran, Suite

GROUPS = ("adm", "systemd-journal", "mycats")
COMMAND = re.compile(r"^    as root on app1:\n((?:      .+\n)+)", re.MULTILINE)
FOR = re.compile(r"\n    for ((?:.+\n)(?:      .+\n)*?)(?=    \S|  \S|\n)")


@pytest.fixture
def stranger(app1: TestHost) -> Iterator[TestHost]:
    """The host, on which the account of the checks is in none of its groups."""
    modes = app1.run("find /srv/mycats /backup /etc/mycats /var/log -printf '%m %p\\n'").stdout
    for group in GROUPS:
        app1.run(f"gpasswd -d monitor {group}")
    try:
        yield app1
    finally:
        app1.run(f"usermod -aG {','.join(GROUPS)} monitor; rm -f /etc/sudoers.d/opsverify")
        lines = [line.split(" ", 1) for line in modes.splitlines()]
        app1.run("\n".join(f"[ ! -e '{path}' ] || chmod {mode} '{path}'" for mode, path in lines if mode != "777"))


def commands(ran: Ran) -> list[str]:
    return [line.strip() for block in COMMAND.findall(ran.output) for line in block.splitlines()]


def lacking(ran: Ran) -> set[str]:
    """The checks that something is missing for."""
    return {name for names in FOR.findall(ran.output) for name in re.split(r"[,\s]+", names.strip())}


def test_the_commands_grant_all_but_what_takes_another_account(stranger: TestHost, suite: Suite) -> None:
    def preflight() -> Ran:
        return suite([stranger], "--preflight", *EVERYTHING, user="monitor")

    before = preflight()
    assert before.code == 1, before.output
    assert {"service-journal-errors", "access-log-server-errors", "database-backup-fresh"} <= lacking(before), (
        before.output
    )
    ran = before
    for _ in range(4):  # a folder is entered before its files are read
        by_group = [command for command in commands(ran) if "visudo" not in command]
        if not by_group:
            break
        for command in by_group:
            stranger.run(command)
        ran = preflight()
    assert lacking(ran) == {"access-rights", "listening-port", "node-version", "supported-versions"}, ran.output
    sudo = [command for command in commands(ran) if "visudo" in command]
    assert sudo
    for command in sudo:
        stranger.run(command)  # visudo itself says that the rule can be
    assert stranger.run("runuser -u monitor -- sudo -n /bin/sh -c 'id -un'").stdout.strip() in ("root", "mycats")


def test_root_lacks_nothing(app1: TestHost, suite: Suite) -> None:
    ran = suite([app1], "--preflight", *EVERYTHING)
    assert (ran.code, "Nothing is missing" in ran.output) == (0, True), ran.output
