"""security-patches against a real apt on a made-up system, and what dnf and apk say."""

from __future__ import annotations

import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsverify.errors import ProbeError
from opsverify.probes.host.question import Answer
from opsverify.probes.host.system.updates import PendingUpdates

CHECK = "test_security_patches[here]"
RELEASE = """\
Origin: Debian
Label: {label}
Suite: {suite}
Codename: {suite}
Architectures: amd64
Components: main
Date: {date}
"""
PACKAGE = """\
Package: {name}
Version: {version}
Architecture: all
Maintainer: Nobody <nobody@example.com>
Filename: {name}.deb
Size: 1
SHA256: 0000000000000000000000000000000000000000000000000000000000000000
Description: a package

"""


class Apt:
    """A system of its own for apt: one installed package, package lists, and a configuration that leads there."""

    def __init__(self, root):
        self.lists = root / "lists"
        (self.lists / "partial").mkdir(parents=True)
        for folder in (
            "etc/preferences.d",
            "etc/sources.list.d",
            "etc/apt.conf.d",
            "cache/archives/partial",
            "periodic",
        ):
            (root / folder).mkdir(parents=True)
        status = PACKAGE.format(name="openssl", version="1.0").replace(
            "Version:", "Status: install ok installed\nVersion:", 1
        )
        (root / "status").write_text(status)
        self.sources = root / "etc/sources.list"
        self.sources.write_text("")
        self.config = root / "apt.conf"
        self.config.write_text(
            f'Dir "{root}";\nDir::Etc "{root}/etc";\nDir::State "{root}";\nDir::State::lists "{self.lists}";\n'
            f'Dir::State::status "{root}/status";\nDir::Cache "{root}/cache";\nAPT::Architecture "amd64";\n'
        )
        self.root = root

    def source(self, label: str, suite: str, days: float = 0, **packages: str) -> None:
        """Have an archive, so many days old, in the lists as `apt-get update` leaves it."""
        with self.sources.open("a") as sources:
            sources.write(f"deb [trusted=yes] http://deb.example.com/{suite} {suite} main\n")
        date = format_datetime(datetime.now(UTC) - timedelta(days=days), usegmt=True).replace("GMT", "UTC")
        stem = f"deb.example.com_{suite}_dists_{suite}"
        (self.lists / f"{stem}_Release").write_text(RELEASE.format(label=label, suite=suite, date=date))
        text = "".join(PACKAGE.format(name=name, version=version) for name, version in packages.items())
        (self.lists / f"{stem}_main_binary-amd64_Packages").write_text(text)


@pytest.fixture
def apt(tmp_path):
    if shutil.which("apt-get") is None:
        pytest.skip("apt is not installed")
    return Apt(tmp_path / "system")


@pytest.fixture
def judge(project, apt):
    project.environment("own", "hosts: {here: {connection: 'local://'}}\n")

    def judge():
        ran = project.run("--env", "own", "-k", "security_patches", "--history=none", APT_CONFIG=str(apt.config))
        assert CHECK in ran.cases, ran.output
        return ran.properties(CHECK)

    return judge


def test_a_security_update_is_pending(apt, judge):
    apt.source("Debian", "stable", openssl="1.0")
    apt.source("Debian-Security", "stable-security", openssl="1.1")
    message = judge()
    assert message["verdict"] == "alert"
    assert "1 security updates pending (apt, 0 others): openssl 1.1" in message["sentence"]
    assert not list((apt.root / "cache").glob("*.bin")), "a look must not write apt's cache"


def test_only_other_updates_are_pending(apt, judge):
    apt.source("Debian", "stable", openssl="1.1")
    apt.source("Debian-Security", "stable-security", openssl="0.9")
    message = judge()
    assert message["verdict"] == "normal"
    assert "0 security updates pending (apt, 1 others)" in message["observed"]


def test_old_lists_prove_nothing(apt, judge):
    # A mirror that refuses leaves them as they are; the folders and stamps are as new as the attempt.
    apt.source("Debian-Security", "stable-security", days=10, openssl="1.0")
    apt.source("Debian", "stable", openssl="1.0")
    (apt.root / "periodic/update-success-stamp").touch()
    message = judge()
    assert message["verdict"] == "undetermined"
    assert "apt's package lists are 10 days old (at most 3)" in message["sentence"]


def test_old_lists_that_know_of_an_update_are_enough(apt, judge):
    apt.source("Debian-Security", "stable-security", days=10, openssl="1.1")
    assert judge()["verdict"] == "alert"


def test_no_list_of_a_security_archive(apt, judge):
    apt.source("Debian", "stable", openssl="1.1")
    message = judge()
    assert message["verdict"] == "undetermined"
    assert "no package list of a security archive" in message["sentence"]


def test_no_lists_at_all(judge):
    message = judge()
    assert message["verdict"] == "undetermined"
    assert "there are no package lists" in message["sentence"]


def test_apt_that_fails(apt, judge):
    apt.source("Debian-Security", "stable-security", openssl="1.1")
    (apt.root / "status").write_text("nonsense\n")
    message = judge()
    assert message["verdict"] == "undetermined"


# --- other package managers and reboots, after their manuals ---------------------------------------------------------


def updates(text: str, manager: str = "apt", rest: str = "== running 6.1.0-28-amd64\n== kernels\n== modules\n"):
    listed = "dated Wed, 25 Nov 2026 00:00:00 UTC" if manager == "apt" else "listed 1795560000"
    head = f"== clock 1795568065\n== manager {manager}\n== {listed}\n== updates\n"
    return PendingUpdates().parse(Answer((head + text + rest).encode()))


def test_apt_on_ubuntu_and_new_kernels():
    seen = updates(
        "NOTE: This is only a simulation!\n"
        "Inst libc6 [2.35-0ubuntu3] (2.35-0ubuntu3.8 Ubuntu:22.04/jammy-updates, Ubuntu:22.04/jammy-security [amd64])\n"
        "Inst linux-image-6.1.0-29-amd64 (6.1.123-1 Debian-Security:12/stable-security [amd64])\n"
        "Inst vim [2:9.0] (2:9.1 Ubuntu:22.04/jammy-updates [amd64]) []\nConf libc6 (2.35 Ubuntu:22.04/jammy [amd64])\n"
    )
    assert [str(one) for one in seen.security] == ["libc6 2.35-0ubuntu3.8", "linux-image-6.1.0-29-amd64 6.1.123-1"]
    assert seen.others == 1


def test_dnf():
    seen = updates(
        "RHSA-2024:1234 Important/Sec.  openssl-1:3.0.7-27.el9.x86_64\n"
        "RHSA-2024:1234 Important/Sec.  openssl-libs-1:3.0.7-27.el9.x86_64\n"
        "FEDORA-2024-9c1f0a9e5b Critical/Sec. kernel-core-6.8.5-301.fc40.x86_64\n"
        "Name                   Type     Severity  Package                  Issued\n"
        "FEDORA-2025-a1b2c3d4e5 security Important xz-1:5.6.2-2.fc41.x86_64 2025-04-01 01:13:12\n",
        "dnf",
    )
    assert [one.package for one in seen.security] == ["openssl", "openssl-libs", "kernel-core", "xz"]


def test_date_that_is_none():
    with pytest.raises(ProbeError, match="'yesterday' is no date"):
        PendingUpdates().parse(
            Answer(b"== clock 1\n== manager apt\n== dated yesterday\n== updates\n== running 6\n== kernels\n")
        )


@pytest.mark.parametrize("kind", ["updateinfo", "primary"])
def test_dnf_lists_that_know_nothing_of_security(tmp_path, kind):
    (tmp_path / "dnf/main").mkdir(parents=True)
    (tmp_path / "dnf/main/repomd.xml").write_text(f'<repomd>\n  <data type="{kind}">\n  </data>\n</repomd>\n')
    script = PendingUpdates().script().replace("/var/cache/libdnf5 /var/cache/dnf", str(tmp_path / "dnf"))
    only_dnf = '[ "$2" = dnf ]'
    script = f"command() {{ {only_dnf}; }}\ndnf() {{ :; }}\n{script}"
    output = subprocess.run(["sh", "-c", script], capture_output=True, check=True).stdout
    seen = PendingUpdates().parse(Answer(output))
    assert seen.manager == "dnf"
    assert (seen.listed_at is not None) == (kind == "updateinfo")


def test_apk():
    seen = updates("Installed:                                Available:\nbusybox-1.36.1-r5     < 1.36.1-r7\n", "apk")
    assert [(one.package, one.installed, one.available) for one in seen.security] == [
        ("busybox", "1.36.1-r5", "1.36.1-r7")
    ]


@pytest.mark.parametrize(
    ("rest", "pending"),
    [
        ("== running 6.1.0-28-amd64\n== kernels\n6.1.0-28-amd64\n6.1.0-9-amd64\n== modules\n", ""),
        ("== running 6.1.0-28-amd64\n== kernels\n6.1.0-29-amd64\n== modules\n", "kernel 6.1.0-29-amd64 is installed"),
        ("== running 6.1.0-28-amd64\n== kernels\n6.1.0-29-cloud-amd64\n== modules\n", ""),
        ("== running 5.14.0-427.13.1.el9_4.x86_64\n== kernels\n0-rescue-af2b\n5.14.0-503.11.1.el9_5.x86_64\n== modules\n",
         "kernel 5.14.0-503"),
        ("== running 6.6.58-0-lts\n== kernels\nlts\n== modules\n6.6.63-0-lts\n", "6.6.63-0-lts is installed"),
        ("== running 6.6.58-0-lts\n== kernels\n== modules\n6.6.58-0-lts\n", ""),
        ("== required\nlinux-base\nlibc6\n== running 6.1.0-28-amd64\n== kernels\n== modules\n", "(libc6, linux-base)"),
    ],
)  # fmt: skip
def test_reboots(rest, pending):
    seen = updates("", "dnf" if "el9" in rest else "apt", rest)
    assert pending in "; ".join(seen.reboot)
    assert bool(pending) == bool(seen.reboot)


@pytest.mark.parametrize(
    ("manager", "older", "newer"),
    [
        ("apt", "6.12.90+deb13-amd64", "6.12.90+deb13.1-amd64"),
        ("apt", "6.12.90+deb13-cloud-amd64", "6.12.90+deb13+1-cloud-amd64"),
        ("apt", "6.1.0-28-amd64", "6.12.90+deb13-amd64"),
        ("apt", "6.13-rc7-amd64", "6.13.1-amd64"),
        ("apt", "6.13-rc7-amd64", "6.13-amd64"),
        ("apt", "6.8.0-9-generic", "6.8.0-45-generic"),
        ("apt", "6.6.51+rpt-rpi-v8", "6.6.62+rpt-rpi-v8"),
        ("apt", "6.1.0-0.deb11.21-amd64", "6.1.0-0.deb11.22-amd64"),
        ("dnf", "5.14.0-427.el9.x86_64", "5.14.0-427.13.1.el9_4.x86_64"),
        ("dnf", "6.8.9-300.fc39.x86_64", "6.8.10-300.fc40.x86_64"),
        ("dnf", "5.14.0-70.13.1.el9_0.x86_64+rt", "5.14.0-427.13.1.el9_4.x86_64+rt"),
    ],
)
def test_kernels_in_the_order_of_their_distribution(manager, older, newer):
    def reboot(running, installed):
        rest = f"== running {running}\n== kernels\n{running}\n{installed}\n== modules\n"
        return updates("", manager, rest).reboot

    assert reboot(older, newer) == (f"kernel {newer} is installed, {older} runs",)
    assert reboot(newer, older) == ()


@pytest.mark.parametrize(("running", "other"), [("6.1.0-28-amd64", "6.12.90+deb13-cloud-amd64"), ("6.8.0-45-generic", "6.8.0-50-aws"),
                                                ("5.14.0-427.el9.x86_64", "5.15.0-300.el9uek.x86_64")])  # fmt: skip
def test_kernel_of_another_flavour_is_none_to_reboot_for(running, other):
    rest = f"== running {running}\n== kernels\n{running}\n{other}\n== modules\n"
    assert updates("", "dnf" if "el9" in running else "apt", rest).reboot == ()


PIECES = st.sampled_from(["== clock 1\n", "== manager apt\n", "== manager x\n", "== listed 5\n", "== listed x\n", "== updates\n",
                          "== dated Thu, 01 Jan 2026 00:00:00 UTC\n", "== dated Thu, 01 Jan 2026 00:00:00 -0000\n",
                          "Inst a [1] (2 S/security [all])\n", "== running 1\n", "== kernels\n", "== modules\n", "== failed 1\n"])  # fmt: skip


@given(parts=st.lists(st.one_of(PIECES, st.text(max_size=9)), max_size=12))
def test_whatever_a_host_says_is_a_fact_or_a_probe_error(parts):
    try:
        PendingUpdates().parse(Answer("".join(parts).encode("utf-8", "replace")))
    except ProbeError as error:
        assert str(error)
