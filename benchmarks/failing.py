"""What checks cost that fail: `python -m benchmarks.failing [HOSTS]`, by default 1,000 hosts that refuse.

Six checks each.

Beside it, in the same run, as many plain tests that fail by an assert, with the same reports.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.fleet import CHECKS, KINDS

ROOT = Path(__file__).parents[1]
PLAIN = """
import pytest

@pytest.mark.parametrize("n", range({count}))
def test_plain(n):
    assert n < 0, "connection refused"
"""


def run(folder: Path, cwd: Path, *arguments: str) -> tuple[float, str]:
    """Wall seconds of a pytest run with HTML and JUnit, and what it printed."""
    command = [sys.executable, "-m", "pytest", "-q", f"--html={folder}/report.html", f"--junitxml={folder}/junit.xml"]
    began = time.perf_counter()
    done = subprocess.run(
        [*command, "--self-contained-html", *arguments], cwd=cwd, capture_output=True, text=True, check=False
    )
    return time.perf_counter() - began, done.stdout


def main(hosts: int) -> None:
    """Run both and print what a check costs."""
    count = hosts * len(CHECKS)
    with tempfile.TemporaryDirectory(prefix="failing-") as name:
        folder = Path(name)
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / "key"], check=True)
        (folder / "hosts").write_text(f"* {(folder / 'key.pub').read_text()}")
        (folder / "config").write_text(f"Host *\n  IdentityFile {folder}/key\n  UserKnownHostsFile {folder}/hosts\n")
        groups = "".join(
            f'  g{n}: {{connection: "ssh://root@127.9.{n}.[1:{min(250, hosts - 250 * n)}]:1", '
            f"ssh_config: {folder}/config}}\n"
            for n in range(-(-hosts // 250))
        )
        none = "".join(f"  {kind}: not part of this benchmark\n" for kind in KINDS)
        (folder / "dead.yaml").write_text(f"country: JP\nhistory: none\nhosts:\n{groups}not_applicable:\n{none}")
        ours, said = run(
            folder, ROOT, f"--env={folder}/dead.yaml", "-k", " or ".join(CHECKS), "--probe-durations", "--tb=short"
        )
        blocked = re.search(r"(\d+) blocked", said)
        if blocked is None or int(blocked[1]) != count:
            raise SystemExit(said[-4000:])
        (folder / "test_plain.py").write_text(PLAIN.format(count=count))
        plain, _ = run(folder, folder, "-p", "no:cacheprovider", "--tb=short", str(folder / "test_plain.py"))
        size = (folder / "report.html").stat().st_size
    print(f"{count:,} checks that fail: ours {ours:.1f} s with all evidence, {ours * 1000 / count:.2f} ms each")
    print(f"as many plain asserts: {plain:.1f} s, {plain * 1000 / count:.2f} ms each; their HTML {size / 1e6:.1f} MB")
    print(f"ours / plain: {ours / plain:.2f}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
