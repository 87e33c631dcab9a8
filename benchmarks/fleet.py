"""What many hosts cost over ssh: `python -m benchmarks.fleet [HOSTS ...]`, by default 1 10 50 200 1000.

One sshd on this machine stands for all hosts, each with an address of its own (127.1.0.1 and on). Beside ours, in the
same run, on the same machine: a bare asyncssh client that sends the same script to each host and looks at nothing
(what there is to gain), `ssh` itself, and testinfra with pytest-xdist (what operators would write), which stops at 50.
"""

from __future__ import annotations

import asyncio
import getpass
import os
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from opsverify.probes.host.connection import BY_STDIN
from opsverify.probes.host.script import compose
from opsverify.probes.host.system.accounts import Accounts
from opsverify.probes.host.system.filesystems import Filesystems
from opsverify.probes.host.system.memory import Memory
from opsverify.probes.host.system.operating_system import OsRelease
from opsverify.probes.host.system.read_only import ReadOnlyFilesystems
from rehearsal.sshd import Sshd, running

ROOT = Path(__file__).parents[1]
CHECKS = ("memory_usage", "disk_usage", "inode_usage", "read_only_filesystems", "accounts")
CHECKS += ("supported_operating_system",)
QUESTIONS = (Memory(), Filesystems(), ReadOnlyFilesystems(), OsRelease(), Accounts())
"""What those checks ask, so that each host's own work, on this machine here, is the same for all."""
AT_ONCE = 16
KINDS = ("apis", "frontends", "proxies", "databases", "services", "releases", "logs", "folders", "jobs", "alerts")
KINDS += ("certificates", "backups", "documents")
TESTINFRA = """
import pytest, testinfra
HOSTS = {hosts!r}

@pytest.fixture(scope="session", params=HOSTS)
def host(request):
    return testinfra.get_host(request.param, ssh_config={config!r})

def test_memory(host): assert host.run("cat /proc/meminfo").rc == 0
def test_disk(host): assert host.run("df -P -k").rc == 0
def test_inodes(host): assert host.run("df -P -i").rc == 0
def test_mounts(host): assert host.file("/proc/mounts").content_string
def test_processes(host): assert host.check_output("ps -e -o pid,rss")
def test_accounts(host): assert host.user("root").uid == 0
"""


def addresses(count: int) -> list[str]:
    """So many loopback addresses."""
    return [f"127.1.{n // 250}.{n % 250 + 1}" for n in range(count)]


def ours(sshd: Sshd, config: Path, hosts: list[str], folder: Path) -> str:
    """`pytest --env` with six checks of each host; the last line of its summary."""
    user = getpass.getuser()
    targets = "".join(
        f'  h{n:04}: {{connection: "ssh://{user}@{host}:{sshd.port}", ssh_config: {config}}}\n'
        for n, host in enumerate(hosts)
    )
    none = "".join(f"  {kind}: not part of this benchmark\n" for kind in KINDS)
    environment = folder / "fleet.yaml"
    environment.write_text(f"country: JP\nhistory: none\nhosts:\n{targets}not_applicable:\n{none}")
    command = [sys.executable, "-m", "pytest", f"--env={environment}", "-q", "-k", " or ".join(CHECKS), "--tb=no"]
    command += [f"--html={folder}/report.html", f"--junitxml={folder}/junit.xml"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    counts = re.search(r"^\d+ normal.*blocked", done.stdout, re.MULTILINE)
    return counts[0] if counts else (done.stdout + done.stderr)[-2000:]


def behind_a_bastion(hosts_sshd: Sshd, hosts: list[str], folder: Path) -> str:
    """The same through one jump host, an sshd of its own with its default MaxStartups."""
    place = folder / "bastion"
    place.mkdir()
    with running(place) as bastion:
        keys = f"  IdentityFile {{0}}/user\n  UserKnownHostsFile {place}/hosts\n"
        (place / "hosts").write_text(
            f"[127.0.0.1]:{bastion.port} {(place / 'host.pub').read_text()}"
            f"[127.*]:{hosts_sshd.port} {(folder / 'host.pub').read_text()}"
        )
        config = place / "config"
        config.write_text(
            f"Host bastion\n  HostName 127.0.0.1\n  Port {bastion.port}\n{keys.format(place)}"
            f"Host 127.1.*\n  ProxyJump bastion\n{keys.format(folder)}"
        )
        return ours(hosts_sshd, config, hosts, folder)


def prototype(sshd: Sshd, hosts: list[str]) -> str:
    """One asyncssh connection and session a host, with the same script, answers thrown away."""
    import asyncssh

    script = compose(QUESTIONS, 20).text

    async def all_of_them() -> int:
        gate = asyncio.Semaphore(AT_ONCE)

        async def one(host: str) -> int:
            async with (
                gate,
                asyncssh.connect(
                    host,
                    sshd.port,
                    config=None,
                    known_hosts=str(sshd.folder / "known_hosts"),
                    client_keys=[str(sshd.folder / "user")],
                    username=getpass.getuser(),
                ) as connection,
            ):
                return (await connection.run(BY_STDIN, input=script)).exit_status or 0

        return sum(await asyncio.gather(*(one(host) for host in hosts)))

    return f"{asyncio.run(all_of_them())} failed"


def plain_ssh(config: Path, sshd: Sshd, hosts: list[str]) -> str:
    """`ssh host sh -s` with the same script, sixteen at a time."""
    script = compose(QUESTIONS, 20).text.encode()

    def one(host: str) -> int:
        command = ["ssh", "-F", str(config), "-p", str(sshd.port), host, "sh", "-s"]
        return subprocess.run(command, input=script, capture_output=True, check=False).returncode

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return f"{sum(map(bool, pool.map(one, hosts)))} failed"


def testinfra(config: Path, sshd: Sshd, hosts: list[str], folder: Path) -> str:
    """Six tests a host, a command each, by four workers."""
    uris = [f"ssh://{getpass.getuser()}@{host}:{sshd.port}" for host in hosts]
    (folder / "test_hosts.py").write_text(TESTINFRA.format(hosts=uris, config=str(config)))
    command = [sys.executable, "-m", "pytest", "-q", "-n4", "-p", "no:cacheprovider", str(folder / "test_hosts.py")]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    return done.stdout.strip().splitlines()[-1]


def measured(name: str, count: int, work: Callable[[], str]) -> float:
    """Run it in a process of its own and print its wall time, the processor time of it and all that it started."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writing, work()[:4000].encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        said = pipe.read()
    _, _, used = os.wait4(child, 0)
    took = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    memory = max(used.ru_maxrss, after.ru_maxrss) / 1024
    print(
        f"{count:6,} hosts  {name:12} {took:8.2f} s  {cpu * 1000 / count:7.1f} ms of processor a host  "
        f"{memory:6.0f} MiB  {said.strip().splitlines()[-1] if said.strip() else ''}",
        flush=True,
    )
    return took


def main(counts: list[int]) -> None:
    """Measure each number of hosts."""
    with tempfile.TemporaryDirectory(prefix="fleet-") as name:
        folder = Path(name)
        with running(folder, listen="0.0.0.0", more="MaxStartups 1000\nMaxSessions 20") as sshd:  # noqa: S104
            key = (folder / "host.pub").read_text()
            (folder / "known_hosts").write_text(f"[127.*]:{sshd.port} {key}")
            config = folder / "fleet_config"
            config.write_text(
                f"Host 127.*\n  IdentityFile {folder}/user\n  IdentitiesOnly yes\n"
                f"  UserKnownHostsFile {folder}/known_hosts\n  GlobalKnownHostsFile /dev/null\n"
            )
            seconds: dict[int, float] = {}
            for count in counts:
                hosts = addresses(count)
                bare = measured("asyncssh", count, lambda hosts=hosts: prototype(sshd, hosts))
                seconds[count] = measured("ours", count, lambda hosts=hosts: ours(sshd, config, hosts, folder))
                print(f"{count:6,} hosts  ours / asyncssh {seconds[count] / bare:.2f}")
                if count <= 200:
                    measured("ssh", count, lambda hosts=hosts: plain_ssh(config, sshd, hosts))
                if count <= 50:
                    measured("testinfra", count, lambda hosts=hosts: testinfra(config, sshd, hosts, folder))
                if count == 200:
                    measured("bastion", count, lambda hosts=hosts: behind_a_bastion(sshd, hosts, folder))
            if {50, 1000} <= seconds.keys():
                print(f"1,000 hosts / (20 times 50) {seconds[1000] / (20 * seconds[50]):.2f}")


if __name__ == "__main__":
    main([int(text) for text in sys.argv[1:]] or [1, 10, 50, 200, 1000])
