"""What is made of hosts that are laid out otherwise than the test hosts."""

from __future__ import annotations

from typing import Any

import pytest

from opsverify.config.environment import Host
from opsverify.discover.arguments import DatabaseSource
from opsverify.discover.draft import Draft
from opsverify.discover.seen import QUESTIONS, DatabaseSeen, HostSeen, Seen
from opsverify.discover.understanding import understand
from opsverify.probes.host.question import Answer
from opsverify.probes.postgres.itself import ItselfFacts


def the_draft(dsn: str = "", **said: str) -> Draft:
    """Of one host, by what its questions said."""
    empty = {"Units": "== nosystemd\n", "Processes": "== sockets\n== owners\n"}
    answers: dict[Any, Any] = {
        q: q.parse(Answer(said.get(q.title, empty.get(q.title, "")).encode())) for q in QUESTIONS
    }
    host = Host.model_validate({"name": "app1", "environment": "x", "connection": "ssh://app1"})
    draft = Draft("title", [])
    databases = [DatabaseSeen(DatabaseSource(dsn, dsn, "", False))] if dsn else []
    understand(Seen([HostSeen(host, answers)], [], databases), draft, None)
    return draft


def bodies(draft: Draft, kind: str) -> dict[str, dict[str, Any]]:
    return {entry.name: {key: value for key, value in entry.body.items() if key != "host"} for entry in draft.of(kind)}


PM2 = """== units
Id=pm2-deploy.service
LoadState=loaded
ActiveState=active
UnitFileState=enabled
Type=forking
MainPID=5
FragmentPath=/etc/systemd/system/pm2-deploy.service
"""


def test_a_process_manager_runs_several_parts_in_one_unit() -> None:
    processes = """== sockets
0100007F:0BBC 77 1000
0100007F:0BB8 78 1000
== owners
10 77
11 78
== root
== process 10 5 deploy node /srv/cats/
cgroup /system.slice/pm2-deploy.service
cwd /srv/cats/backend
word dist/main.js
== process 11 5 deploy next-server (v1
cgroup /system.slice/pm2-deploy.service
cwd /srv/cats/frontend
"""
    draft = the_draft(Units=PM2, Processes=processes)
    assert bodies(draft, "services") == {
        "backend": {"role": "backend", "unit": "pm2-deploy", "port": 3004},
        "frontend": {"role": "frontend", "unit": "pm2-deploy", "port": 3000},
    }


def test_a_link_to_the_current_release_is_its_path_wherever_it_leads() -> None:
    checkout = """== checkout /srv/cats/current
real /srv/cats/releases/20260302
git
f /srv/cats/current/backend/package.json
uses @nestjs/core /srv/cats/current/backend/package.json
f /srv/cats/current/backend/prisma/schema.prisma
d /srv/cats/current/logs
"""
    process = (
        "== sockets\n== owners\n== process 10 1 deploy node\ncwd /srv/cats/releases/20260302/backend\nword dist/main\n"
    )
    draft = the_draft(Checkouts=checkout, Processes=process)
    assert bodies(draft, "releases") == {"release": {"path": "/srv/cats/current", "database": "primary"}}
    assert bodies(draft, "folders") == {"logs": {"holds": "logs", "path": "/srv/cats/current/logs"}}


def test_a_developers_processes_are_known_by_their_pid_files() -> None:
    checkout = "== checkout /home/d/cats\ngit\nf /home/d/cats/backend/backend.pid\npid 10 /home/d/cats/backend/backend.pid\nf /home/d/cats/backend/backend.log\n"
    process = "== sockets\n0100007F:0BBC 77 1000\n== owners\n10 77\n== process 10 1 d node\ncwd /home/d/cats/backend\nword dist/main\n"
    draft = the_draft(Checkouts=checkout, Processes=process, LogFiles="== open /home/d/cats/backend/backend.log\n")
    assert bodies(draft, "services") == {
        "backend": {"role": "backend", "pid_file": "/home/d/cats/backend/backend.pid", "port": 3004}
    }
    assert bodies(draft, "logs") == {
        "application": {"holds": "application", "path": "/home/d/cats/backend/backend.log"}
    }


def test_an_api_of_its_own_name_is_told_from_the_front_end_by_its_port() -> None:
    """Both sites pass `/` on, as nginx has one name for each."""
    nginx = """== installed
== root /etc/nginx
== file /etc/nginx/nginx.conf
0\thttp\t{
1\tserver\t{
2\tlisten\t443\tssl
2\tserver_name\tapi.cats.example
2\tlocation\t/\t{
3\tproxy_pass\thttp://localhost:3004
1\tserver\t{
2\tlisten\t443\tssl
2\tserver_name\tcats.example
2\tlocation\t/\t{
3\tproxy_pass\thttp://localhost:3000
"""
    units = (
        PM2.replace("pm2-deploy", "cats-api")
        + "\n"
        + PM2.replace("pm2-deploy", "cats-web").removeprefix("== units\n").replace("MainPID=5", "MainPID=6")
    )
    processes = "== sockets\n0100007F:0BBC 77 1000\n0100007F:0BB8 78 1000\n== owners\n5 77\n6 78\n== process 5 1 d node\ncgroup /system.slice/cats-api.service\nword dist/main\n== process 6 1 d next-server\ncgroup /system.slice/cats-web.service\n"
    draft = the_draft(Units=units, Processes=processes, Nginx=nginx)
    assert bodies(draft, "apis") == {"main": {"url": "https://api.cats.example"}}
    assert bodies(draft, "frontends") == {"public": {"url": "https://cats.example"}}
    assert set(bodies(draft, "names")) == {"public", "public-2"}


def test_what_is_down_is_listed_and_said_to_be() -> None:
    units = (
        PM2.replace("pm2-deploy", "cats-backend")
        .replace("ActiveState=active", "ActiveState=failed")
        .replace("MainPID=5", "MainPID=0")
    )
    (entry,) = the_draft(Units=units).of("services")
    assert entry.body["role"] == "backend" and "NOT RUNNING NOW (failed)" in entry.found
    assert "port" not in entry.body and any("port: 3004" in line for line in entry.missing)


def test_where_the_engine_may_not_be_asked_a_compose_file_says_what_to_look_for() -> None:
    checkout = "== checkout /srv/cats\nf /srv/cats/prisma/schema.prisma\ncompose /srv/cats/compose.yaml\ncompose: service api\ncompose: image cats\ncompose: port 8080:3004\ncompose: service db\ncompose: image postgres:15\ncompose: container_name cats-db\ncompose: service mailer\n"
    draft = the_draft(Checkouts=checkout, Containers="== denied docker: permission denied\n")
    assert bodies(draft, "services") == {
        "backend": {"role": "backend", "container": "cats-api-1", "port": 3004},
        "database": {"role": "database", "container": "cats-db"},
    }
    assert all("permission denied" in entry.unread for entry in draft.of("services"))
    assert list(the_draft(Checkouts=checkout, Containers="== engine docker\n").of("services")) == []


@pytest.mark.parametrize(
    ("dsn", "owners", "same"),
    [
        ("postgresql://u@10.0.0.5/d", "7 1\n7 2", True),
        ("postgresql://u@app1/d", "7 1\n7 2", True),
        ("postgresql://u@10.0.0.5/d", "", True),  # of an account that cannot see whose they are
        ("postgresql://u@10.0.0.5/d", "7 1\n8 2", False),  # two servers
        ("postgresql://u@127.0.0.1/d", "7 1\n7 2", False),  # ours, and not the host's
        ("postgresql://u@10.0.0.5:6432/d", "7 1\n7 2", False),
    ],
)
def test_a_database_beside_its_backend_has_the_loopbacks_name_too(dsn: str, owners: str, same: bool) -> None:
    sockets = f"== sockets\n0500000A:1538 1 0\n0100007F:1538 2 0\n== owners\n{owners}\n"
    draft = the_draft(
        dsn=dsn, Processes=sockets, Clusters="== clusters\n15 main 5432 online postgres /data /var/log/x.log\n"
    )
    assert ("database-url" in draft.checks) is same
    assert any("none of the databases that were given" in notice for notice in draft.notices) is (
        ":6432" in dsn or "127" in dsn
    )


def test_of_several_hosts_of_one_database_the_first_is_meant() -> None:
    facts = ItselfFacts("15.1", False, ("plpgsql",), True, False, True, True)
    draft = Draft("title", [])
    source = DatabaseSource("postgresql://u@a:1,b:2/d", "postgresql://u@a:1,b:2/d", "", False)
    understand(Seen([], [], [DatabaseSeen(source, facts)]), draft, "/ca.pem")
    (certificate,) = draft.of("certificates")
    assert certificate.body == {"address": "a", "port": 1, "protocol": "postgres", "ca_file": "/ca.pem"}
    (database,) = draft.of("databases")
    assert any("pg_stat_statements" in line for line in database.missing)
