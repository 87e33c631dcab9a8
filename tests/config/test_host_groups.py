"""An entry of hosts may stand for many: by a range, or from an inventory. Every mistake in it is told once."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from opsverify.config.environment import KINDS, Environment
from opsverify.config.loading import Loaded, load_environment, load_items
from opsverify.errors import ConfigurationError

ROOT = Path(__file__).parents[2]
ITEMS = load_items(ROOT / "checks" / "runbook.yaml")

INVENTORY = """
[databases]
db[1:2].internal ansible_host=10.0.0.1
db3.internal ansible_user=deploy ansible_port=2222
[nobody]
[old]
old1 ansible_password=s3cret-s3cret
"""


def load(tmp_path: Path, text: str) -> Loaded:
    """An environment of these lines, beside an inventory; kinds of targets that it has not are excused."""
    (tmp_path / "production.ini").write_text(INVENTORY)
    listed = {line.split(":")[0] for line in text.splitlines()}
    excuses = "".join(f"  {kind}: not in this test\n" for kind in KINDS if kind not in listed)
    path = tmp_path / "fleet.yaml"
    path.write_text(f"{text}\nnot_applicable:\n{excuses}", encoding="utf-8")
    return load_environment(path, ITEMS)


def environment(tmp_path: Path, text: str) -> Environment:
    return load(tmp_path, text).environment


def mistakes(tmp_path: Path, text: str) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        load(tmp_path, text)
    return [line.removeprefix(f"{tmp_path}/").removeprefix("fleet.yaml: ") for line in caught.value.mistakes]


@pytest.mark.parametrize(
    ("entry", "connections"),
    [
        ('web: {connection: "ssh://w[08:10]"}', {f"w{n}": f"ssh://w{n}" for n in ("08", "09", "10")}),
        ('web: {connection: "ssh://m@w[1:2].x.org:22"}', {"w1": "ssh://m@w1.x.org:22", "w2": "ssh://m@w2.x.org:22"}),
        ('web: {connection: "ssh://w[1:1].[a:b].x"}', {"w1.a.x": "ssh://w1.a.x", "w1.b.x": "ssh://w1.b.x"}),
        ('web: {connection: "ssh://10.0.0.[8:9]"}', {"10.0.0.8": "ssh://10.0.0.8", "10.0.0.9": "ssh://10.0.0.9"}),
        ('web: {connection: "docker://api-[1:2]"}', {"api-1": "docker://api-1", "api-2": "docker://api-2"}),
        ('web: {connection: "kubectl://api-[0:0]?namespace=x"}', {"api-0": "kubectl://api-0?namespace=x"}),
        ('"w[1:2]": {connection: "ssh://{name}.x"}', {"w1": "ssh://w1.x", "w2": "ssh://w2.x"}),
        ('"eu-[1:2]": {connection: "ssh://w[3:4].eu"}', {"eu-1": "ssh://w3.eu", "eu-2": "ssh://w4.eu"}),
        ('"jump[a:b]": {connection: "ssh://h:[22:23]"}', {"jumpa": "ssh://h:22", "jumpb": "ssh://h:23"}),
        ('six: {connection: "ssh://m@[fe80::1]:22"}', {"six": "ssh://m@[fe80::1]:22"}),
        (
            "db: {inventory: production.ini, group: databases}",
            {
                "db1.internal": "ssh://10.0.0.1",
                "db2.internal": "ssh://10.0.0.1",
                "db3.internal": "ssh://deploy@db3.internal:2222",
            },
        ),
        (
            'db: {inventory: production.ini, connection: "ssh://m@{name}?sudo=true"}',
            {name: f"ssh://m@{name}?sudo=true" for name in ("db1.internal", "db2.internal", "db3.internal", "old1")},
        ),
    ],
)
def test_which_hosts_an_entry_stands_for(tmp_path: Path, entry: str, connections: dict[str, str]) -> None:
    hosts = environment(tmp_path, f"hosts:\n  {entry}\n").hosts
    assert {name: host.connection for name, host in hosts.items()} == connections
    assert all(host.name == name and host.environment == "fleet" for name, host in hosts.items())
    assert not any(host.inventory or host.group or host.members for host in hosts.values())


def test_what_is_said_of_a_group_holds_for_all_but_for_what_a_member_says(tmp_path: Path) -> None:
    hosts = environment(
        tmp_path,
        """
hosts:
  web:
    connection: "ssh://m@web[1:3]"
    deadline: 30
    ignore_filesystems: [/mnt]
    not_applicable: {time-synchronised: containers share the clock}
    members:
      web2: {deadline: 60, not_applicable: {services: is being rebuilt}}
      web3: {connection: "ssh://m@{name}.elsewhere"}
""",
    ).hosts
    assert [host.deadline for host in hosts.values()] == [30, 60, 30]
    assert [host.ignore_filesystems for host in hosts.values()] == [("/mnt",)] * 3
    assert [host.connection for host in hosts.values()] == ["ssh://m@web1", "ssh://m@web2", "ssh://m@web3.elsewhere"]
    clock = {"time-synchronised": "containers share the clock"}
    assert [host.not_applicable for host in hosts.values()] == [clock, clock | {"services": "is being rebuilt"}, clock]


ON_GROUPS = """
hosts: {web: {connection: "ssh://web[1:2]", members: {web2: {not_applicable: {logs: sent away at once}}}}, app: {}}
services: {backend: {host: web, unit: b}, one: {host: web1, unit: b}, other: {host: app, unit: b}}
logs: {auth: {host: web, holds: auth, unit: ssh}}
documents: {notes: {host: web, holds: operations log, location: /srv/operations.log}}
"""


def test_what_lies_on_a_group_lies_on_each_of_its_hosts(tmp_path: Path) -> None:
    fleet = environment(tmp_path, ON_GROUPS)
    lies_on = {name: service.host for name, service in fleet.services.items()}
    assert lies_on == {"backend@web1": "web1", "backend@web2": "web2", "one": "web1", "other": "app"}
    assert [log.identity for log in fleet.logs.values()] == [
        ("fleet", "logs", "auth@web1"),
        ("fleet", "logs", "auth@web2"),
    ]
    assert [document.host for document in fleet.documents.values()] == ["web1", "web2"]
    assert list(fleet.hosts) == ["web1", "web2", "app"]


def test_what_does_not_apply_on_a_host(tmp_path: Path) -> None:
    fleet = environment(
        tmp_path,
        """
hosts:
  web:
    connection: "ssh://web[1:4]"
    not_applicable: {service-active: of the whole group}
    members:
      web2: {not_applicable: {hosts: all of it is new}}
      web3: {not_applicable: {services: none of them yet}}
      web4: {not_applicable: {"access-rights:hosts": by the directory, service-active: of this one}}
services: {backend: {host: web, unit: b}}
""",
    )

    def why(check: str, target: str) -> str:
        return fleet.excuse_on_host(check, fleet.services.get(target) or fleet.hosts[target])

    assert why("service-active", "backend@web1") == "of the whole group"
    assert why("service-active", "backend@web4") == "of this one"
    assert why("access-rights", "web2") == why("access-rights", "backend@web2") == "all of it is new"
    assert (why("access-rights", "web3"), why("access-rights", "backend@web3")) == ("", "none of them yet")
    assert (why("access-rights", "web4"), why("access-rights", "backend@web4")) == ("by the directory", "")
    assert (why("disk-usage", "web1"), why("access-rights", "backend@web1")) == ("", "")


@pytest.mark.parametrize(
    ("target", "covered"),
    [
        ("backend", {"backend@web1", "backend@web2"}),
        ("backend@web1", {"backend@web1"}),
        ("web", {"web1", "web2"}),
        ("web1", {"web1"}),
        ("other", {"other"}),
    ],
)
def test_a_waiver_covers_what_its_target_stands_for(tmp_path: Path, target: str, covered: set[str]) -> None:
    waiver = f"waivers: [{{check: disk-usage, target: {target}, owner: ops, reason: ordered, expires: 2027-01-31}}]\n"
    (one,) = environment(tmp_path, ON_GROUPS + waiver).waivers
    names = ("backend@web1", "backend@web2", "web1", "web2", "one", "other", "app")
    assert {name for name in names if one.covers(name)} == covered


@pytest.mark.parametrize(
    ("entries", "told"),
    [
        ('web: {connection: "ssh://w[3:1]"}', "hosts.web.connection: found 'ssh://w[3:1]', allowed a range such as"),
        ('"web[1]": {}', "hosts.web[1]: found 'web[1]', allowed a range such as"),
        ('web: {connection: "ssh://w[1:100001]"}', "hosts.web.connection: found 'ssh://w[1:100001]', allowed a range of"),
        ('web: {connection: "ssh://h:[22:24]"}', "hosts.web.connection: found 'h' twice, allowed a range in the name"),
        ('"web[1:2]": {}', "hosts.web[1:2].connection: found 'local://' for all of them, allowed {name} or a range"),
        ('"web[1:2]": {connection: "ssh://w[1:3]"}', "hosts.web[1:2].connection: found 3 for 2 hosts, allowed one for"),
        ('"web[1:2]": {connection: "ssh://{host}{name}"}', "hosts.web[1:2].connection: found 'ssh://{host}web1', allowed {name}"),
        ('web: {connection: "ssh://{name}"}', "hosts.web.connection: found {name}, allowed in a group only"),
        ("web: {members: {web1: {}}}", "hosts.web.members: found members of one host, allowed in a group only"),
        ('web: {connection: "ssh://w[1:2]", members: {w3: {}}}', "hosts.web.members.w3: found no such host in the group, allowed w1, w2"),
        ('web: {connection: "ssh://w[1:2]", members: {w1: {dedline: 3}}}', "hosts.web.members.w1.dedline: found an unknown key"),
        ('web: {connection: "ssh://w[1:2]", deadline: 0}', "hosts.web.deadline: found 0, allowed greater than 0"),
        ('"web[1:2]": {connection: "ssh://{name}", deadline: 0}', "hosts.web[1:2].deadline: found 0, allowed greater than 0"),
        ('web: {connection: "ssh://w[1:2]", not_applicable: {disk-usag: a typo}}', "hosts.web.not_applicable.disk-usag: found an unknown name"),
        ('web: {connection: "ssh://w[1:2]", members: {w1: {not_applicable: {"disk-usage:hots": typo}}}}', "hosts.web.members.w1.not_applicable.disk-usage:hots: found an unknown kind"),
        ('app: {not_applicable: {disk-usag: a typo}}', "hosts.app.not_applicable.disk-usag: found an unknown name"),
        ('web: {connection: "ssh://w[1:2]"}, w1: {}', "hosts.web: found 'w1' in it, allowed hosts called otherwise"),
        ('w1: {connection: "ssh://w[1:2]"}', "hosts.w1: found 'w1' in it, allowed hosts called otherwise"),
        ('a: {connection: "ssh://w[1:5]"}, b: {connection: "ssh://w[3:9].x"}', "hosts.b: found 'w3' (and 2 more) also in hosts.a, allowed once"),
        ("db: {group: databases}", "hosts.db.group: found 'databases', allowed no group without an inventory"),
        ("db: {inventory: missing.ini}", "missing.ini: found no readable file"),
        ("db: {inventory: production.ini, group: databasis}", "hosts.db.group: found 'databasis', allowed databases"),
        ("db: {inventory: production.ini, group: nobody}", "hosts.db.group: found no host in it, allowed at least one"),
        ("db: {inventory: production.ini, connection: ssh://x}", "hosts.db.connection: found 'ssh://x' for all of them, allowed {host} or {name}"),
        ('"db[1:2]": {inventory: production.ini}', "hosts.db[1:2]: found a range beside an inventory, allowed one of"),
        ("db: {inventory: production.ini, group: old}", "production.ini, line 7: ansible_password: found a value, allowed none"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_an_entry(tmp_path: Path, entries: str, told: str) -> None:
    lines = mistakes(tmp_path, f"hosts: {{{entries}}}\n")
    assert [line for line in lines if line.startswith(told)], lines
    assert len(lines) == len(set(lines)) < 3
    assert "s3cret" not in str(lines)


def test_every_mistake_is_told_at_once(tmp_path: Path) -> None:
    lines = mistakes(
        tmp_path,
        """
hosts:
  web: {connection: "ssh://w[1:5000]", deadlin: 3}
  db: {inventory: production.ini}
services: {a: {host: web, unit: b, port: 99999}, "a@w1": {host: w7, unit: b}, c: {host: w5001, unit: b}}
waivers: [{check: disk-usage, target: a@w5001, owner: ops, reason: ordered, expires: 2027-01-31}]
""",
    )
    starts = (
        "hosts.web.deadlin: ",
        "production.ini, line 7: ansible_password: ",
        "services.a.port: ",
        "services.a@w1: found a name that services.a makes, allowed another",
        "services.c.host: found 'w5001', allowed web, db",
        "waivers.0.target: ",
    )
    assert all(any(line.startswith(start) for line in lines) for start in starts), lines
    assert len(lines) == len(starts)


def test_a_group_that_is_a_mistake_makes_no_others_of_what_lies_on_its_hosts(tmp_path: Path) -> None:
    text = "hosts: {db: {inventory: missing.ini}}\nservices: {a: {host: db1, unit: b}}\n"
    (line,) = mistakes(tmp_path, text)
    assert line.startswith("missing.ini: ")


def test_a_run_looks_at_each_of_them_and_tells_why_not(tmp_path: Path) -> None:
    text = """
hosts: {web: {connection: "ssh://web[1:2].invalid", not_applicable: {hosts: they are being rebuilt}}}
services: {backend: {host: web, role: backend, unit: b}, postgresql: {host: web1, role: database, unit: p}}
"""
    load(tmp_path, text)
    command = [sys.executable, "-m", "pytest", f"--env={tmp_path / 'fleet.yaml'}", "-v", "-p", "no:cacheprovider"]
    command += [f"--html={tmp_path / 'r.html'}", f"--junit-xml={tmp_path / 'r.xml'}", "--history=none"]
    done = subprocess.run(
        [*command, "-k", "service-active or disk-usage"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    ids = ["service_active[backend@web1]", "service_active[backend@web2]", "disk_usage[web1]", "disk_usage[web2]"]
    assert all(f"test_{one}" in done.stdout for one in ids), done.stdout + done.stderr
    assert "they are being rebuilt" in done.stdout
    assert done.returncode == 5, done.stdout + done.stderr


BLOCKS = re.findall(r"^```yaml\n(.*?)^```$", (ROOT / "docs/fleets.md").read_text(), re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.split()[1].strip('":'))
def test_the_document_s_examples_load(tmp_path: Path, block: str) -> None:
    shutil.copytree(ROOT / "environments/examples/inventory", tmp_path / "inventory")
    (tmp_path / "cache-hosts.txt").write_text("cache1\ncache2 # the new one\n")
    hosts = "" if block.startswith("hosts:") else 'hosts: {web: {connection: "ssh://web[001:250]"}}\n'
    assert len(environment(tmp_path, hosts + block).hosts) > 5


def test_hosts_without_a_group_cost_no_import(tmp_path: Path) -> None:
    load(tmp_path, "hosts: {app: {connection: ssh://app}}\nservices: {a: {host: app, unit: b}}\n")
    code = f"""
import sys
from pathlib import Path
from opsverify.config.loading import load_environment, load_items
load_environment(Path({str(tmp_path / "fleet.yaml")!r}), load_items(Path("checks/runbook.yaml")))
parts = ("ranges", "host_groups", "expansion", "inventory")
print([name for name in sys.modules if name.startswith("opsverify.config.") and name.split(".")[2] in parts])
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
