"""A run of everything but the drills changes nothing on a whole host: no file, no folder, not for a moment."""

from __future__ import annotations

from rehearsal.machines.host import TestHost

from .conftest import EVERYTHING, Suite

# A folder's times change with every file that comes or goes in it. /run is the services' own, in memory.
FILES = r"""
find / \( -path /proc -o -path /sys -o -path /dev -o -path /run \) -prune -o -printf '%p\t%y %m %U %G %s %T@ %C@\n'
"""
BY_THEMSELVES = (
    "/var/log/",  # what services log of logins and requests
    "/var/lib/postgresql/",  # the server's own files, which count what it does
)


def files(host: TestHost) -> dict[str, str]:
    lines = host.run(FILES).stdout.splitlines()
    return dict(line.partition("\t")[::2] for line in lines)


def test_a_run_changes_nothing_on_its_host(app1: TestHost, suite: Suite) -> None:
    suite([app1], "-m", "smoke")  # what a first login leaves, it leaves here
    before = files(app1)
    ran = suite([app1], *EVERYTHING)
    after = files(app1)
    assert len(ran.verdicts) > 60, ran.output
    assert {"/etc/passwd", "/tmp", "/root", "/home", "/srv", "/var/log"} <= set(before)
    changed = {path for path in before.keys() | after.keys() if before.get(path) != after.get(path)}
    assert {path for path in changed if not path.startswith(BY_THEMSELVES)} == set()
    assert any(path.startswith("/var/log/") for path in changed)  # it did look
    app1.run("touch /tmp/of-a-moment && rm /tmp/of-a-moment")
    assert files(app1)["/tmp"] != after["/tmp"]  # and would have been noticed
