"""What a host says of its surroundings: understood as the programs do, and no secret among it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from opsverify.probes.host.question import Answer
from opsverify.probes.host.surroundings import nginx
from opsverify.probes.host.surroundings.checkouts import COMPOSE_AWK, NAMES_AWK, Checkouts
from opsverify.probes.host.surroundings.containers import Containers
from opsverify.probes.host.surroundings.crontabs import Crontabs
from opsverify.probes.host.surroundings.nginx import AWK, Nginx, NginxSeen
from opsverify.probes.host.surroundings.processes import Processes
from opsverify.probes.host.surroundings.units import MENTIONED, Units

AWKS = {"mawk": ["mawk"], "gawk": ["gawk", "--posix"], "busybox": ["busybox", "awk"]}
SECRET = "Q7v9Xw2Lk5Pz8Rt3"


def printed(kind: str, program: str, text: str, tmp_path: Path) -> str:
    if shutil.which(AWKS[kind][0]) is None:
        pytest.skip(f"{kind} is not installed")
    (tmp_path / "file").write_text(text, newline="")
    return subprocess.run([*AWKS[kind], program, tmp_path / "file"], capture_output=True, text=True, check=True).stdout


CONFIGURATION = f"""
# server {{ listen 1; }}
http {{
  map $http_key $who {{ default ""; "{SECRET}" "me"; }}
  upstream api {{ server 10.0.0.5:3004 weight=2; server unix:/run/api.sock; keepalive 8; }}
  access_log /var/log/nginx/all.log main buffer=32k;
  init_by_lua_block {{ local s = "{SECRET} }}" -- don't
    server = {{ "{SECRET}" }} }}
  server {{ listen 80; listen [::]:80; server_name cats.example www.cats.example;
    if ($host ~ "^(www\\.)?(.+)$") {{ return 301 https://cats.example$request_uri; }} }}
  server {{
    listen 443 ssl; listen unix:/x; server_name 'cats.example';
    ssl_certificate /etc/ssl/cats.pem; ssl_certificate_key "/etc/ssl/{SECRET}.key";
    set $front http://127.0.0.1:3000; set $key {SECRET};
    location ~ "^/(api|x{{2,3}})" {{ proxy_set_header Authorization "Bearer {SECRET}"; proxy_pass http://u:{SECRET}@api/v1?k={SECRET}; }}
    location / {{ proxy_pass $front; access_log off; }}
    location /static {{ return 200 "{SECRET}"; }}
  }}
}}
"""


@pytest.mark.parametrize("kind", AWKS)
def test_nginx_says_where_requests_lead_and_no_secret(kind: str, tmp_path: Path) -> None:
    text = printed(kind, AWK.text, CONFIGURATION, tmp_path)
    assert SECRET not in text
    seen = nginx.understood(
        nginx.Directive(
            "", (), "", nginx.directives("/etc/nginx/nginx.conf", {"/etc/nginx/nginx.conf": text.splitlines()})
        ),
        True,
        (),
    )
    first, second = seen.sites
    assert (first.names, first.ports, first.redirects, first.routes) == (
        ("cats.example", "www.cats.example"),
        (80,),
        True,
        (),
    )
    assert (second.names, second.ports, second.tls_ports) == (("cats.example",), (), (443,))
    assert second.certificate == "/etc/ssl/cats.pem"
    assert second.routes == (
        ("^/(api|x{2,3})", "10.0.0.5:3004"),
        ("^/(api|x{2,3})", "unix:/run/api.sock"),
        ("/", "127.0.0.1:3000"),
    )
    assert seen.logs == ("/var/log/nginx/all.log",)


def test_what_is_included_counts_in_its_place_and_what_is_not_does_not() -> None:
    files = {
        "/etc/nginx/nginx.conf": ["0\thttp\t{", "1\tinclude\tsites-enabled/*", "1\tinclude\t/etc/nginx/conf.d/*.conf"],
        "/etc/nginx/sites-enabled/b": ["0\tserver\t{", "1\tlisten\t8080"],
        "/etc/nginx/sites-enabled/.hidden": ["0\tserver\t{", "1\tlisten\t1"],
        "/etc/nginx/sites-available/old": ["0\tserver\t{", "1\tlisten\t2"],
        "/etc/nginx/conf.d/a.conf": ["0\tinclude\tconf.d/a.conf", "0\tserver\t{", "1\tlisten\t127.0.0.1:3"],
    }
    text = "\n".join(f"== file {name}\n" + "\n".join(lines) for name, lines in files.items())
    seen = Nginx().parse(Answer(f"== root /etc/nginx\n{text}\n== denied /etc/nginx/x\n".encode()))
    assert isinstance(seen, NginxSeen)
    assert {site.ports for site in seen.sites} == {(8080,), (3,)}
    assert seen.hidden == ("/etc/nginx/x",)


@pytest.mark.parametrize("kind", AWKS)
def test_of_variables_only_the_names_leave(kind: str, tmp_path: Path) -> None:
    text = f"""export A_B = "x\\"{SECRET}
C={SECRET}
" # D={SECRET}
E='{SECRET}'\r
# F=1
key: x
LOWER_NOT={SECRET}\r
G=`{SECRET}
{SECRET}=
`
-----BEGIN KEY-----
mIIabc==
H=
"""
    assert printed(kind, NAMES_AWK.text, text, tmp_path).split() == ["A_B", "E", "LOWER_NOT", "G", "H"]


@pytest.mark.parametrize("kind", AWKS)
def test_of_a_compose_file_only_services_images_and_ports_leave(kind: str, tmp_path: Path) -> None:
    text = f"""# a comment\r
x-common: &common {{ environment: {{ KEY: {SECRET} }} }}\r
services:\r
  "api":\r
    image: registry.example/api:1.2 # the newest\r
    environment:\r
      - KEY={SECRET}\r
      IMAGE: {SECRET}\r
    command: ["--key", "{SECRET}"]\r
    ports:\r
      - "127.0.0.1:8080:3004"\r
      - target: 9\r
        published: "10"\r
\r
  db:\r
    container_name: cats-db\r
    ports: ["5432:5432", '6:6']\r
volumes:\r
  image: {SECRET}\r
"""
    lines = printed(kind, COMPOSE_AWK.text, text, tmp_path).splitlines()
    assert lines == ["service api", "image registry.example/api:1.2", "port 127.0.0.1:8080:3004", "target 9", "published 10",
                     "service db", "container_name cats-db", "port 5432:5432", "port 6:6"]  # fmt: skip


@pytest.mark.parametrize("shell", [["dash"], ["bash", "--posix"], ["busybox", "sh"]])
def test_of_a_command_only_files_and_plain_words_leave(shell: list[str], tmp_path: Path) -> None:
    if shutil.which(shell[0]) is None:
        pytest.skip(f"{shell[0]} is not installed")
    (tmp_path / "dist").mkdir()
    (tmp_path / "dist/main.js").touch()
    words = [
        "/bin/sh",
        "dist/main",
        "start",
        SECRET,
        f"--key={SECRET}",
        "-p",
        f"/{SECRET}",
        f"PW={SECRET}",
        f"./{SECRET}.x",
        "*",
        "'dist/main.js';",
    ]
    done = subprocess.run(
        [*shell, "-c", f'{MENTIONED.text}\nmentioned "$@"', "sh", tmp_path, *words],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["word", "/bin/sh", "word", "dist/main", "word", "start", "word", "dist/main.js"]


def test_a_unit_is_read_with_what_it_runs_and_whether_it_is_ours() -> None:
    text = """== units
Type=simple
EnvironmentFiles=/etc/a.env (ignore_errors=no)
EnvironmentFiles=/etc/b.env (ignore_errors=yes)
User=mycats
MainPID=157
WorkingDirectory=!/srv/mycats
Id=api.service
LoadState=loaded
ActiveState=failed
FragmentPath=/etc/systemd/system/api.service
UnitFileState=enabled

Id=gone.service
LoadState=not-found
ActiveState=inactive

Unit=api.service
Id=api.timer
LoadState=loaded
ActiveState=active
FragmentPath=/lib/systemd/system/api.timer
== command api.service
word /usr/bin/node
log /var/log/api.log
log /var/log/api.log
== denied /etc/systemd/system/secret.service
"""
    seen = Units().parse(Answer(text.encode()))
    assert [unit.name for unit in seen.units] == ["api.service", "api.timer"]
    api, timer = seen.units
    assert (api.failed, api.active, api.enabled, api.own, api.pid, api.folder) == (
        True,
        False,
        True,
        True,
        157,
        "/srv/mycats",
    )
    assert (api.env_files, api.words, api.logs) == (
        ("/etc/a.env", "/etc/b.env"),
        ("/usr/bin/node",),
        ("/var/log/api.log",),
    )
    assert (timer.starts, timer.own) == ("api.service", False)
    assert seen.hidden == ("/etc/systemd/system/secret.service",)


def test_a_process_belongs_to_its_unit_or_its_container() -> None:
    container = "c" * 64
    text = f"""== sockets
0100007F:0BBC 77 1000
== owners
9 77
== root
== pidfile 9 /run/api.pid
== process 9 1 mycats node
cgroup /system.slice/api.service
cwd /srv/mycats/backend
word dist/main
== process 10 1 root next-server (v15)
cgroup /system.slice/docker-{container}.scope
== process 11 1 root node
cgroup /user.slice/user-0.slice/user@0.service/app.slice/mine.service
"""
    seen = Processes().parse(Answer(text.encode()))
    assert [(one.name, one.unit, one.container) for one in seen.processes] == [
        ("node", "api.service", ""), ("next-server (v15)", "", container), ("node", "", "")]  # fmt: skip
    assert (seen.ports_of("api.service"), seen.root, seen.pid_files) == ((3004,), True, ((9, "/run/api.pid"),))


def test_containers_are_read_and_nonsense_is_none() -> None:
    one = (
        '{"name":"/api-1","image":"cats:1","state":"running","restart":"always","ports":{"3004/tcp":[{"HostIp":"","HostPort":"8080"}],'
        '"9/tcp":null},"service":"api","project":"cats","folder":"/srv/cats"}'
    )
    seen = Containers().parse(Answer(f"== engine docker\n{one}\n{{\nnull\n== denied podman: no\n".encode()))
    (container,) = seen.containers
    assert (container.name, container.running, container.ports, container.published) == (
        "api-1",
        True,
        (9, 3004),
        ((8080, 3004),),
    )
    assert (seen.engines, seen.hidden) == (("docker",), ("podman: no",))


def test_a_line_of_a_crontab_is_its_files_and_its_log() -> None:
    text = "== job /etc/cron.d/x\nwhen 0 2 * * *\nword start\nword /srv/backup.sh\nlog /dev/null\nlog /var/log/x.log\n== denied /var/spool/cron\n"
    seen = Crontabs().parse(Answer(text.encode()))
    (job,) = seen.jobs
    assert (job.when, job.files, job.logs, seen.hidden) == (
        "0 2 * * *",
        ("/srv/backup.sh",),
        ("/var/log/x.log",),
        ("/var/spool/cron",),
    )


def test_what_was_cut_off_is_hidden_and_not_missing() -> None:
    seen = Checkouts().parse(Answer(b"== checkout /srv/a\ngit\nf /srv/a/package.json\n", status=141, truncated=True))
    assert seen.checkouts[0].git and seen.hidden == ("what came after the first 45 bytes",)
