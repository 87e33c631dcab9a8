"""Services that are containers, and hosts that are, as real engines run them: podman, and docker where its daemon is."""

from __future__ import annotations

import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from opsverify.config.environment import Host, Service
from opsverify.discover.draft import Draft
from opsverify.discover.seen import HostSeen, Seen
from opsverify.discover.understanding.services import understand as understand_services
from opsverify.evidence.deadline import Deadline
from opsverify.facts.services import named
from opsverify.probes.host.probe import probe
from opsverify.probes.host.question import Answer
from opsverify.probes.host.surroundings.containers import Containers
from opsverify.probes.host.system.container import ContainerFacts, ContainerState
from opsverify.probes.host.system.cpu import Cpu
from opsverify.probes.host.system.limits import Limits, limits
from opsverify.probes.host.system.memory import Memory
from tests.pace import HANGS, until

ENGINES = {"podman": ("--runtime", "runc", "--cgroup-manager", "cgroupfs"), "docker": ()}
BOUNDS = ("--network=none", "--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1000:1000")
IMAGE = "localhost/opsverify-test"
SECRET = "unmistakable-Q7v9Xw2Lk5Pz8Rt3Ym6Nb1Hc4Jd0Fg"

SERVER = """
console.error(new Date().toISOString() + ' ERROR [Cats] boom');
console.log(new Date().toISOString() + ' INFO [Cats] listening');
require('node:http').createServer((_, answer) => answer.end('{}')).listen(3004);
"""
VARIABLES = {
    "DATABASE_URL": "postgresql://u:p@db:5432/mycats",
    "JWT_SECRET": SECRET,
    "PORT": "3004",
    "NODE_ENV": "production",
    "CORS_ORIGIN": "https://mycats.example",
    "HEALTH_CHECK_DATABASE": "true\nof two lines",
}


class Engine:
    """A container engine, and what a test has started with it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.started: list[str] = []

    def __call__(self, *arguments: str, check: bool = True) -> str:
        command = [self.name, *ENGINES[self.name], *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=HANGS, check=False)
        if check and done.returncode:
            pytest.skip(f"{self.name} cannot run containers here: {done.stderr.strip()[-200:]}")
        return done.stdout.strip()

    def start(self, name: str, *options: str, command: tuple[str, ...] = ("/bin/sleep", "600")) -> str:
        """Run a container until the test ends; its name."""
        self.started.append(f"opsverify-test-{name}")
        self("run", "-d", "--name", self.started[-1], *BOUNDS, *options, IMAGE, *command)
        return self.started[-1]


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The root of an image: BusyBox and Node.js with their libraries, and a server."""
    programs = [shutil.which(name) for name in ("busybox", "node")]
    if not all(programs) or shutil.which("ldd") is None:
        pytest.skip("busybox or node is not installed")
    folder = tmp_path_factory.mktemp("image")
    (folder / "server.js").write_text(SERVER)
    with tarfile.open(folder / "root.tar", "w", dereference=True) as root:
        root.add(folder / "server.js", "server.js")
        libraries = set()
        for path in (Path(str(program)).resolve() for program in programs):
            root.add(path, f"bin/{path.name}")
            listed = subprocess.run(["ldd", path], capture_output=True, text=True, check=False).stdout
            libraries |= {word for word in listed.split() if word.startswith("/")}
        for library in sorted(libraries):
            root.add(library, library.lstrip("/"))
        applets = subprocess.run(["busybox", "--list"], capture_output=True, text=True, check=True).stdout.split()
        for name in applets:
            link = tarfile.TarInfo(f"bin/{name}")
            link.type, link.linkname = tarfile.SYMTYPE, "busybox"
            root.addfile(link)
    return folder / "root.tar"


@pytest.fixture(scope="module", params=ENGINES)
def engine_with_image(request: pytest.FixtureRequest, archive: Path) -> Iterator[Engine]:
    engine = Engine(request.param)
    if shutil.which(engine.name) is None:
        pytest.skip(f"{engine.name} is not installed")
    engine("info")
    engine("import", str(archive), IMAGE)
    yield engine
    engine("rmi", "-f", IMAGE, check=False)


@pytest.fixture
def engine(engine_with_image: Engine) -> Iterator[Engine]:
    yield engine_with_image
    for name in engine_with_image.started:
        engine_with_image("kill", name, check=False)  # podman's rm waits for the container to end by itself
        engine_with_image("rm", "-f", name, check=False)
    engine_with_image.started.clear()


ELSEWHERE = (
    *("required-variables", "node-env", "jwt-secret-strength", "published-secrets", "database-url", "cors-origins"),
    *("listening-port", "node-version", "supported-versions", "service-journal-errors", "application-stopped"),
    *("database-stopped", "access-log-server-errors", "access-log-client-errors", "unauthorized-access"),
    *("abnormal-api-calls", "audit-log", "application-log-errors", "application-log-alive"),
)
"""Checks of services and logs that are shown elsewhere, or need others than these."""


def services(engine: Engine, names: dict[str, str], more: str = "") -> str:
    """What an environment says of these containers, as services."""
    listed = (
        f"  {name}: {{host: here, container: {full}, engine: {engine.name}{more}}}" for name, full in names.items()
    )
    return "\n".join(["hosts: {here: {}}", "services:", *listed, ""])


def test_containers_in_every_state(engine: Engine, project):
    health = ("--health-interval", "1h", "--health-retries", "1")
    if engine.name == "podman":  # which runs health checks by timers of systemd, or by hand
        health = ("--health-interval", "disable", "--health-retries", "1")
    names = {
        "plain": engine.start("plain"),
        "starting": engine.start("starting", "--health-cmd", "/bin/true", *health),
        "ended": engine.start("ended", command=("/bin/false",)),
        "missing": "opsverify-test-no-such",
    }
    if engine.name == "podman":
        for name, command in (("well", "/bin/true"), ("ill", "/bin/false")):
            names[name] = engine.start(name, "--health-cmd", command, *health)
            engine("healthcheck", "run", names[name], check=False)
    engine("wait", names["ended"])
    project.environment("boxes", services(engine, names), excuse=ELSEWHERE)
    ran = project.run("--env", "boxes", "-k", "container_health or service_active", "--history=none")
    expected = {
        "test_container_health[plain]": "normal",
        "test_container_health[starting]": "warning",
        "test_container_health[ended]": "blocked",
        "test_container_health[missing]": "blocked",
        "test_container_health[well]": "normal",
        "test_container_health[ill]": "alert",
        "test_service_active[plain]": "warning",
        "test_service_active[starting]": "warning",
        "test_service_active[ended]": "alert",
        "test_service_active[missing]": "alert",
        "test_service_active[well]": "warning",
        "test_service_active[ill]": "warning",
    }
    assert ran.verdicts() == {test: verdict for test, verdict in expected.items() if test.split("[")[1][:-1] in names}
    sentences = ["restart policy no", "exited, exit code 1", "container opsverify-test-no-such does not exist"]
    for sentence in [*sentences, *(["running, unhealthy"] if "ill" in names else [])]:
        assert sentence in ran.output


JUDGED = ("listening-port", "required-variables", "node-version", "service-journal-errors", "application-log-errors",
          "application-log-alive")  # fmt: skip
ABOUT_THE_BACKEND = " or ".join(("service-active", "container-health", *JUDGED)).replace("-", "_")


def test_a_backend_that_is_a_container(engine: Engine, project):
    variables = [option for name, value in VARIABLES.items() for option in ("-e", f"{name}={value}")]
    restart = ("--restart", "unless-stopped") if engine.name == "docker" else ("--restart", "always")
    name = engine.start("api", *variables, *restart, command=("/bin/node", "/server.js"))
    until(lambda: "listening" in engine("logs", name))
    project.environment(
        "boxes",
        services(engine, {"backend": name}, ", role: backend, port: 3004")
        + f"logs: {{app: {{host: here, holds: application, container: {name}, engine: {engine.name}}}}}\n"
        + "checks: {node-version: {settings: {majors: [18, 20, 22, 24, 26]}}}\n",
        excuse=tuple(check for check in ELSEWHERE if check not in JUDGED),
    )
    ran = project.run("--env", "boxes", "-k", ABOUT_THE_BACKEND, "--history=none")
    well = ran.verdicts()
    assert well == {
        "test_service_active[backend]": "normal",
        "test_container_health[backend]": "normal",
        "test_listening_port[backend]": "normal",
        "test_required_variables[backend]": "normal",
        "test_node_version[backend]": "normal",
        "test_service_journal_errors[backend]": "not applicable",
        "test_application_log_errors[app]": "alert",
        "test_application_log_alive[app]": "normal",
    }
    assert "boom" in ran.output
    assert "unmistakable" not in ran.output
    engine("stop", "-t", "0", name)
    ran = project.run("--env", "boxes", "-k", ABOUT_THE_BACKEND, "--history=none")
    assert ran.verdicts() == well | {
        "test_service_active[backend]": "alert",
        "test_container_health[backend]": "blocked",
        "test_listening_port[backend]": "alert",
        "test_node_version[backend]": "blocked",
    }
    assert f"run `{engine.name} start {name}`" in ran.output or f"{engine.name} restart {name}" in ran.output


def test_a_host_that_is_a_container(engine: Engine, project):
    # A shell that is busy for ever, on a tenth of a processor.
    busy = ("/bin/sh", "-c", "while :; do :; done")
    name = engine.start("host", "--memory", "64m", "--cpus", "0.1", command=busy)
    project.environment("box", f'hosts: {{box: {{connection: "{engine.name}://{name}"}}}}\n')
    ran = project.run("--env", "box", "-k", "hosts or box", "--history=none", "-m", "daily or weekly or monthly")
    verdicts = ran.verdicts()
    assert verdicts["test_memory_usage[box]"] == "normal"
    assert verdicts["test_cpu_usage[box]"] == "alert", ran.output
    excused = {
        "time_synchronised",
        "automatic_updates",
        "security_patches",
        "accounts",
        "password_policy",
        "system_log_errors",
        "exposed_ports",
    }
    assert {f"test_{check}[box]" for check in excused} == {
        test for test, verdict in verdicts.items() if verdict == "not applicable"
    }, ran.output


@pytest.mark.parametrize(
    ("restarted_hours_ago", "restarts", "killed", "verdict"),
    [(2, 3, "false", "warning"), (30, 3, "false", "normal"), (2, 0, "false", "normal"), (2, 0, "true", "alert")],
)
def test_restarts_and_memory(judged, restarted_hours_ago, restarts, killed, verdict):
    started = f"2026-11-{27 if restarted_hours_ago < 24 else 25}T10:00:00.123456789Z"
    state = f'running {killed} 0 "{started}" {restarts} "always" healthy'
    facts = ContainerState("x").parse(Answer(f"== clock 1795780800\n== state {state}\n".encode()))  # 2026-11-27 12:00
    assert judged("reachability", "container-health", container_state=facts).worst.verdict.value == verdict


@pytest.mark.parametrize(
    ("policy", "comes_back"),
    [("always", True), ("unless-stopped", True), ("on-failure", False), ("no", False), ("", False)],
)
def test_a_container_that_comes_back_at_boot(policy, comes_back):
    facts = ContainerFacts("x", True, "running", restart_policy=policy)
    assert facts.comes_back is comes_back
    assert replace(facts, status="exited", exit_code=137, killed_for_memory=True).in_words == (
        "exited, exit code 137, killed for memory"
    )


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("268435456 50000 100000", Limits(268435456, 0.5)),  # both cgroups
        ("max max 100000", Limits()),  # v2
        ("9223372036854771712 -1 100000", Limits(9223372036854771712, None)),  # v1, of a machine
        ("none none none", Limits()),
    ],
)
def test_limits_of_both_control_groups(said, expected):
    assert limits(Answer(f"== limits {said}\n".encode())) == expected


def test_what_is_used_of_the_limits():
    meminfo = "MemTotal: 1000000 kB\nMemAvailable: 900000 kB\n"
    used = "== limits 100000000 50000 100000\n== taken 95000000 15000000\n"
    memory = Memory().parse(Answer((meminfo + used).encode()))
    assert (memory.limited, memory.used_percent) == (True, 80.0)
    # The machine has less left than the limit leaves.
    scarce = Memory().parse(Answer((meminfo.replace("900000", "1000") + used).encode()))
    assert scarce.available_bytes == 1024000
    no_limit = Memory().parse(Answer((meminfo + used.replace("100000000", "9223372036854771712")).encode()))
    assert (no_limit.limited, no_limit.used_percent) == (False, 10.0)
    stat = "cpu 0 0 0 {}\ncpu0 1\ncpu1 1\n"
    spent = "== spent1 1000000 10.00\n== first\n" + stat.format(0)
    later = "== spent2 1250000 11.00\n== second\n" + stat.format(200) + "== load\n0 0 0\n"
    cpu = Cpu().parse(Answer((used + spent + later).encode()))
    assert (cpu.busy_percent, cpu.limit_cores, cpu.cores) == (50.0, 0.5, 2)


@pytest.mark.parametrize("kind", ["docker", "podman", "kubectl", "openshift"])
def test_hosts_that_are_containers(kind):
    assert Host(connection=f"{kind}://x").is_container
    assert not Host(connection="ssh://x").is_container


def test_a_service_is_known_in_one_way():
    service = Service(host="a", container="x", engine="podman")
    assert named(service) == {"unit": None, "pid_file": None, "container": "x", "engine": "podman"}
    with pytest.raises(ValueError, match="exactly one of unit, pid_file and container"):
        Service(host="a", container="x", unit="y")


def test_an_engine_that_is_not_there_says_nothing_of_containers(project):
    if shutil.which("docker"):
        pytest.skip("docker is installed")
    project.environment("boxes", "hosts: {here: {}}\nservices: {a: {host: here, container: a, engine: docker}}\n")
    ran = project.run("--env", "boxes", "-k", "container_health", "--history=none")
    assert ran.verdicts() == {"test_container_health[a]": "undetermined"}
    assert "this account finds no docker on the host" in ran.output


def test_containers_are_discovered_by_their_names_and_without_their_variables(engine: Engine) -> None:
    """The first environment file of a host whose services are containers."""
    labels = ("--label", "com.docker.compose.service=backend", "--label", "com.docker.compose.project=cats")
    name = engine.start(
        "found", *labels, "--env", f"JWT_SECRET={SECRET}", command=("/bin/sh", "-c", f"sleep 600 # {SECRET}")
    )
    host = Host.model_validate({"name": "here", "environment": "x", "connection": "local://"})
    answer = probe(host, frozenset({Containers()}), Deadline(HANGS))[Containers()]
    (container,) = [one for one in answer.containers if one.name == name]
    assert (container.engine, container.running, container.service) == (engine.name, True, "backend")
    assert SECRET not in repr(answer)
    draft = Draft("title", [])
    understand_services(Seen([HostSeen(host, {Containers(): replace(answer, containers=(container,))})], [], []), draft)
    (entry,) = draft.of("services")
    assert entry.name == "backend"
    expected = {"host": "here", "role": "backend", "container": name}
    assert {key: value for key, value in entry.body.items() if key != "engine"} == expected
    assert entry.guesses["role"] == "by its name only" and "port: 3004" in entry.missing[0]
