"""Boot any number of hosts together, and take everything away again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from rehearsal.credentials import Credentials
from rehearsal.errors import NotAvailable
from rehearsal.layout import Layout
from rehearsal.machines import database, seed
from rehearsal.machines.capability import missing
from rehearsal.machines.host import TestHost
from rehearsal.machines.image import image
from rehearsal.machines.runs import Run
from rehearsal.parts.proxy import Authority

PROVISION = Path(__file__).parent / "provision.sh"
MOST = 40

SSH_CONFIG = """\
Host {name}
  HostName {address}
  User monitor
  IdentityFile {key}
  IdentitiesOnly yes
  UserKnownHostsFile {known}
  GlobalKnownHostsFile /dev/null
"""


@contextmanager
def running(count: int = 1) -> Iterator[Sequence[TestHost]]:
    """Boot `count` hosts; see `rehearsal.machines.running`."""
    if not 1 <= count <= MOST:
        raise ValueError(f"1 to {MOST} hosts, not {count}")
    if reason := missing():
        raise NotAvailable(reason)
    with image() as root:
        run = Run.create()
        hosts: list[TestHost] = []
        try:
            run.network.create()
            released = seed.release(run.folder / "release")
            _boot(run, root, released, count, hosts)
            with ThreadPoolExecutor(count) as pool:
                list(pool.map(lambda host: _bring_up(host, released), hosts))
            yield tuple(hosts)
        finally:
            run.remove()
            for host in hosts:
                host.forget()


def _boot(run: Run, root: Path, released: Layout, count: int, hosts: list[TestHost]) -> None:
    authority = Authority(run.folder)
    key = seed.ssh_key(run.folder / "user")
    seed.ssh_key(run.folder / "stranger")
    known_hosts, config = run.folder / "known_hosts", run.folder / "ssh_config"
    config.touch(mode=0o600)
    cables = [run.network.connect(number) for number in range(count)]
    addresses = [address for _, address in cables]
    for number, (namespace, address) in enumerate(cables):
        name = f"app{number + 1}"
        host = TestHost(
            name=name,
            number=number,
            address=address,
            namespace=namespace,
            machine=f"opsverify-{run.name}-{name}",
            folder=run.folder / name,
            network=run.network,
            authority=authority,
            secrets=Credentials(),
            ssh_config=config,
        )
        host.folder.mkdir()
        public = seed.plant(
            host.folder / "seed",
            released,
            address,
            addresses=addresses,
            authority=authority,
            key=key,
            secrets=host.secrets,
        )
        with known_hosts.open("a") as file:
            file.write(f"{address} {public}")
        with config.open("a") as file:
            file.write(SSH_CONFIG.format(name=name, address=address, key=run.folder / "user", known=known_hosts))
        hosts.append(host)
        host.boot(root, run.cgroups(name))


def _bring_up(host: TestHost, released: Layout) -> None:
    host.await_up()
    # The script as an argument: standard input carries the statements.
    host.run(PROVISION.read_text(), input=database.statements(released, host.secrets))
