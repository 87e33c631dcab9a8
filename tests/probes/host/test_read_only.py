"""File systems that cannot be written to: real ones, in a mount namespace of their own, broken as disks break them."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from opsverify.errors import ProbeError
from opsverify.probes.host.files.folder_state import FolderState
from opsverify.probes.host.question import Answer, Question
from opsverify.probes.host.system.read_only import ReadOnlyFacts, ReadOnlyFilesystems
from rehearsal.faults.volumes import without_mounts

real = pytest.mark.skipif(without_mounts() != "", reason=without_mounts())
# Mounts in memory, so that nothing of the machine is written to; `v` makes a volume and mounts it on /mnt/NAME.
BEGIN = """
mount -t tmpfs none /mnt; : > /mnt/fstab; mount --bind /mnt/fstab /etc/fstab
v() { # NAME PROGRAM [OPTIONS]
mkdir "/mnt/$1"; truncate -s "${size:-8M}" "/mnt/$1.img"; $2 "/mnt/$1.img" >/dev/null 2>&1
mount -o "loop${3:+,$3}" "/mnt/$1.img" "/mnt/$1"
}
"""
EXT4 = "'mke2fs -q -F -t ext4'"
TRIGGER = 'echo 1 > "/sys/fs/ext4/$(basename "$(findmnt -no SOURCE /mnt/a)")/trigger_fs_error"'


def facts(steps: str, question: Question, shell: str = "sh") -> Any:
    """What the question says of a host where these steps of a shell were done."""
    script = "".join(helper.text for helper in question.helpers) + question.script()
    command = [
        "unshare",
        "-m",
        "--propagation",
        "private",
        "sh",
        "-ec",
        f'{BEGIN}{steps}\nexec {shell} -c "$0"',
        script,
    ]
    done = subprocess.run(command, capture_output=True, check=False)
    return question.parse(Answer(done.stdout, done.returncode, done.stderr.decode()))


def of(steps: str, mount: str = "/mnt/a", shell: str = "sh") -> tuple[bool | None, str] | None:
    """Whether it is meant that the volume cannot be written to, and why it cannot; None where it can."""
    seen = facts(steps, ReadOnlyFilesystems(), shell)
    for one in seen.unwritable:
        if one.mount == mount:
            return one.meant, one.why
    assert mount in seen.writable
    return None


@real
@pytest.mark.parametrize("shell", ["dash", "bash", "busybox sh"])
@pytest.mark.parametrize(
    ("steps", "result"),
    [
        (f"v a {EXT4}", None),
        (f"v a {EXT4}; mount -o remount,ro /mnt/a", (None, "is read-only, and neither /etc/fstab nor a unit says so")),
        (
            f"echo '/dev/x /mnt/a ext4 defaults 0 2' > /mnt/fstab; v a {EXT4} ro",
            (False, "is read-only, and is meant to be written to by /etc/fstab or its unit"),
        ),
        (
            f"echo '/dev/x /mnt/a/ ext4 noatime,ro 0 2' > /mnt/fstab; v a {EXT4} ro",
            (True, "is read-only by /etc/fstab or its unit"),
        ),
        (f"v a {EXT4} errors=continue; {TRIGGER}", None),
        (f"v a {EXT4} errors=continue; {TRIGGER}; mount -o remount,ro /mnt/a", (False, "is read-only and has noted errors")),
        # The choice of a bind mount, and of a container's.
        (f"v a {EXT4}; mount -o remount,bind,ro /mnt/a", None),
        (f"v a {EXT4}; mkdir /mnt/b; mount --bind -o ro /mnt/a /mnt/b", None),
        # One that cannot be otherwise.
        (f"v a {EXT4}; umount /mnt/a; mount -o loop,ro /mnt/a.img /mnt/a; losetup -r -f /mnt/a.img", (True, "is read-only by choice")),
    ],
)  # fmt: skip
def test_read_only_by_error_or_by_choice(steps: str, result: tuple[bool | None, str] | None, shell: str) -> None:
    if shutil.which(shell.split()[0]) is None:
        pytest.skip(f"{shell} is not installed")
    assert of(steps, shell=shell) == result


@real
def test_ext4_that_turned_read_only_after_an_error() -> None:
    seen = facts(f"v a {EXT4} errors=remount-ro; {TRIGGER}; ! touch /mnt/a/x", ReadOnlyFilesystems())
    (one,) = [one for one in seen.unwritable if one.mount == "/mnt/a"]
    # Kernels before 6.15 turn it `ro`.
    assert (one.meant, one.why) in [
        (False, "turned read-only after an error"),
        (False, "is read-only and has noted errors"),
    ]
    (noted,) = [errors for errors in seen.errors if errors.mount == "/mnt/a"]
    assert noted.count == 1
    assert noted.last is not None


@real
@pytest.mark.parametrize("name", ["ext4", "xfs"])
def test_a_file_system_that_was_shut_down(name: str) -> None:
    make = {"ext4": EXT4, "xfs": "'mkfs.xfs -q'"}[name]
    if name == "xfs" and shutil.which("mkfs.xfs") is None:
        pytest.skip("xfsprogs are not installed")
    # XFS_IOC_GOINGDOWN, as xfs_io's `shutdown` and fstests use it on both.
    goingdown = "import fcntl, os, struct; fcntl.ioctl(os.open('/mnt/a', os.O_RDONLY), 0x8004587D, struct.pack('I', 2))"
    result = of(f'size=320M; v a {make}; python3 -c "{goingdown}"')
    assert result is not None
    assert result[0] is False
    assert result[1] in ("was shut down after an error", "answers nothing but I/O errors")


@real
@pytest.mark.parametrize(("name", "meant"), [("xfs", True), ("btrfs", None)])
def test_other_file_systems_remounted_by_hand(name: str, meant: bool | None) -> None:
    if shutil.which(f"mkfs.{name}") is None:
        pytest.skip(f"there is no mkfs.{name}")
    result = of(f"size=320M; v a 'mkfs.{name} -q'; mount -o remount,ro /mnt/a")
    assert result is not None
    assert result[0] is meant


@real
def test_images_and_what_lies_in_memory_are_no_findings() -> None:
    steps = "mkdir /mnt/run; mount -t tmpfs -o ro none /mnt/run"
    if shutil.which("mksquashfs"):
        steps += (
            "; mkdir /mnt/snap /mnt/in; mksquashfs /mnt/in /mnt/s.img -quiet >/dev/null; mount /mnt/s.img /mnt/snap"
        )
    seen = facts(steps, ReadOnlyFilesystems())
    assert not [one for one in seen.unwritable if one.mount.startswith("/mnt/")]


@real
def test_the_mount_that_hides_another_counts_and_those_that_are_left_out_do_not() -> None:
    steps = f"v a {EXT4} ro; size=9M v 'b b' {EXT4} ro; mount -t tmpfs none /mnt/a"
    assert [one.mount for one in facts(steps, ReadOnlyFilesystems(only=("/mnt/b b",))).unwritable] == ["/mnt/b b"]
    left = facts(f"v a {EXT4} ro; v b {EXT4}", ReadOnlyFilesystems(ignore=("/mnt/a",)))
    assert "/mnt/a" not in {one.mount for one in left.unwritable}
    assert "/mnt/b" in left.writable


@real
def test_units_say_what_is_meant_before_fstab_does(tmp_path: Path) -> None:
    (tmp_path / "systemctl").write_text(
        "#!/bin/sh\n[ $3 = mnt-a.mount ] && printf '[Mount]\\nOptions=rw\\nOptions=ro,noatime\\n'\n"
    )
    (tmp_path / "systemctl").chmod(0o755)
    if shutil.which("systemd-escape") is None:
        pytest.skip("there is no systemd-escape")
    steps = f"echo 'x /mnt/a ext4 rw 0 0' > /mnt/fstab; v a {EXT4} ro; PATH={tmp_path}:$PATH"
    assert of(steps) == (True, "is read-only by /etc/fstab or its unit")


@real
def test_the_room_of_a_read_only_file_system_is_none() -> None:
    ro = facts(f"v a {EXT4}; mkdir '/mnt/a/b b'; mount -o remount,ro /mnt/a", FolderState("/mnt/a/b b"))
    assert (ro.mount, ro.unwritable) == ("/mnt/a", "is read-only")
    rw = facts(f"v a {EXT4}; mount -o remount,bind,ro /mnt/a", FolderState("/mnt/a"))
    assert (rw.mount, rw.unwritable) == ("/mnt/a", "")


def parsed(*lines: str) -> ReadOnlyFacts:
    return ReadOnlyFilesystems().parse(Answer("\n".join([*lines, "== end", ""]).encode()))


def test_what_this_machine_cannot_have() -> None:
    (pool,) = parsed("== mount 0:40 /tank zfs ro", "== pool tank SUSPENDED", "== pool other ONLINE").unwritable[:1]
    assert (pool.mount, pool.meant, pool.why) == ("tank", False, "is suspended after an error")
    seen = parsed(
        "== mount 8:1 / ext4",
        "== errors 8:1 0 0",
        "== silent /",
        "== mount 0:41 /nas nfs4 ro",
        "== mount 0:42 /z zfs ro",
    )
    assert (seen.writable, seen.errors, seen.silent) == (("/",), (), ("/",))
    assert [(one.mount, one.meant) for one in seen.unwritable] == [("/z", True), ("/nas", True)]


def test_what_was_not_read_to_its_end_proves_nothing() -> None:
    with pytest.raises(ProbeError, match="the list of mounts was not read to its end"):
        ReadOnlyFilesystems().parse(Answer(b"== mount 8:1 / ext4\n"))
    with pytest.raises(ProbeError, match="no real one is mounted"):
        parsed("== fstab / rw")
    with pytest.raises(ProbeError, match="no real one is mounted"):
        facts("", ReadOnlyFilesystems(only=("/dev/shm",)))
    with pytest.raises(ProbeError, match="the errors of 8:1 could not be determined: 'x' is not a whole number"):
        parsed("== mount 8:1 / ext4", "== errors 8:1 x 0")
