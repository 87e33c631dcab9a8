"""Probes on a real Dask cluster: a scheduler and workers of their own processes, with TLS."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import trustme

from opsverify.config.environment import KINDS, Api, Database, Document, Host
from opsverify.drills.restore import restore_probe
from opsverify.errors import ProbeError, Unreachable
from opsverify.evidence.cluster import Cluster, ClusterError, belongs_here, call, version
from opsverify.evidence.collect import collect
from opsverify.evidence.concurrency import Concurrency
from opsverify.evidence.deadline import Deadline
from opsverify.evidence.query import Query
from opsverify.probes.host.probe import probe as host_probe
from opsverify.probes.http.probe import probe as http_probe
from tests.pace import AMPLE, HANGS, until

ROOT = Path(__file__).parents[2]
SECRET = "tr0ub4dor-and-3"


@dataclass(frozen=True)
class Spot:
    """Something that is reached by workers only."""

    name: str
    via: str | None = "tokyo"
    password: str = SECRET

    @property
    def identity(self) -> str:
        return self.name

    @property
    def label(self) -> str:
        return f"spot {self.name}"

    def __repr__(self) -> str:
        return f"Spot({self.name})"


def where(target: Spot, questions: frozenset[Any], deadline: Deadline) -> dict[Any, Any]:
    return dict.fromkeys(questions, (os.getpid(), target.password == SECRET, deadline.left))


def slowly(target: Spot, questions: frozenset[Any], deadline: Deadline) -> dict[Any, Any]:
    Path(next(iter(questions)), f"{target.name}-{os.getpid()}").touch()
    time.sleep(2)
    return dict.fromkeys(questions, os.getpid())


def wrongly(target: Spot, questions: frozenset[Any], deadline: Deadline) -> dict[Any, Any]:
    raise KeyError(target.password)


def refused(target: Spot, questions: frozenset[Any], deadline: Deadline) -> dict[Any, Any]:
    raise Unreachable("connection refused")


def never(target: Spot, questions: frozenset[Any], deadline: Deadline) -> dict[Any, Any]:
    time.sleep(HANGS)
    return {}


def queued(target: Spot, questions: frozenset[Any], deadline: Deadline) -> dict[Any, Any]:
    with deadline.paused():
        time.sleep(0.6)
    return dict.fromkeys(questions, "came")


def test_time_in_a_queue_of_ours_is_left_out_on_a_worker_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("opsverify.evidence.cluster.GRACE", 0.0)
    answers, _ = call(queued, Spot("a"), frozenset({"q"}), 0.3)
    assert answers == {"q": "came"}
    answers, _ = call(queued, Spot("a"), frozenset({"q"}), 0.1)  # no more than threefold
    assert isinstance(answers, Unreachable)


@dataclass
class Running:
    """A scheduler and its workers."""

    folder: Path
    address: str
    variables: dict[str, str]
    processes: list[subprocess.Popen[bytes]]

    def worker(self, *options: str, path: Path = ROOT) -> subprocess.Popen[bytes]:
        """Start one more."""
        name = f"worker{len(self.processes)}"
        command = [sys.executable, "-m", "distributed.cli.dask_worker", self.address, "--no-nanny", "--no-dashboard"]
        command += ["--name", name, "--local-directory", str(self.folder), *options]
        env = {**self.variables, "PYTHONPATH": f"{path}{os.pathsep}{ROOT}{os.pathsep}{ROOT / 'tests'}"}
        with (self.folder / f"{name}.log").open("wb") as log:
            self.processes.append(subprocess.Popen(command, cwd=self.folder, env=env, stdout=log, stderr=log))
        return self.processes[-1]

    def logs(self) -> str:
        return "\n".join(path.read_text() for path in self.folder.glob("*.log"))

    def stop(self) -> None:
        for process in self.processes:
            process.kill()
            process.wait(HANGS)


@pytest.fixture
def dask(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    """A scheduler without workers; everything that speaks to it has a certificate."""
    pytest.importorskip("distributed")
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(tmp_path / "both.pem")
    prefix = "DASK_DISTRIBUTED__COMM__"
    monkeypatch.setenv(f"{prefix}TLS__CA_FILE", str(tmp_path / "ca.pem"))
    monkeypatch.setenv(f"{prefix}REQUIRE_ENCRYPTION", "true")
    for role in ("SCHEDULER", "WORKER", "CLIENT"):
        monkeypatch.setenv(f"{prefix}TLS__{role}__CERT", str(tmp_path / "both.pem"))
        monkeypatch.setenv(f"{prefix}TLS__{role}__KEY", str(tmp_path / "both.pem"))
    import dask.config

    dask.config.refresh()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    running = Running(tmp_path, f"tls://127.0.0.1:{port}", dict(os.environ), [])
    command = [sys.executable, "-m", "distributed.cli.dask_scheduler", "--host", "tls://127.0.0.1"]
    command += ["--port", str(port), "--no-dashboard", "--no-jupyter"]
    with (tmp_path / "scheduler.log").open("wb") as log:
        env = {**running.variables, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tests'}"}
        running.processes.append(subprocess.Popen(command, cwd=tmp_path, env=env, stdout=log, stderr=log))

    def listens() -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    try:
        until(listens)
        yield running
    finally:
        running.stop()
        monkeypatch.undo()
        dask.config.refresh()


def ready(dask: Running, count: int) -> None:
    until(lambda: dask.logs().count("Registered to:") >= count)


def asked(dask: Running, queries: list[Query], run_seconds: float = AMPLE) -> Any:
    cluster = Cluster(dask.address, {"tokyo"})
    try:
        return collect(queries, cluster, run_seconds, Concurrency(cluster.threads, cluster.threads))
    finally:
        cluster.close()


def test_probes_run_on_the_workers_that_reach_their_targets(dask):
    tokyo = dask.worker("--nthreads", "4", "--resources", "tokyo=4")
    other = dask.worker("--nthreads", "4")
    ready(dask, 2)
    far = [Query(where, Spot(f"far{n}"), "q", seconds=9) for n in range(20)]
    failing = [Query(probe, Spot("a"), "q", seconds=1) for probe in (wrongly, refused, never)]
    here = Query(where, Spot("here", via=None), "q")
    evidence = asked(dask, [*far, *failing, here])
    for query in far:
        pid, unharmed, left = evidence.of(query)
        assert pid == tokyo.pid != other.pid
        assert unharmed
        assert 8 < left <= 9
    assert evidence.of(here)[0] == os.getpid()
    for query, said, kind in zip(
        failing, ("failed with KeyError: please report", "connection refused", "no answer within 1 s"),
        (ProbeError, Unreachable, Unreachable), strict=True,
    ):  # fmt: skip
        with pytest.raises(kind, match=said) as caught:
            evidence.of(query)
        assert SECRET not in str(caught.value)
    assert SECRET not in dask.logs()
    assert "Compute Failed" not in dask.logs()


def test_what_a_lost_worker_had_is_asked_again_elsewhere(dask, tmp_path):
    lost = dask.worker("--nthreads", "2", "--resources", "tokyo=2")
    left = dask.worker("--nthreads", "2", "--resources", "tokyo=2")
    ready(dask, 2)
    seen = tmp_path / "seen"
    seen.mkdir()
    queries = [Query(slowly, Spot(f"s{n}"), str(seen), seconds=30) for n in range(6)]

    def kill() -> None:
        until(lambda: list(seen.glob(f"*-{lost.pid}")))
        lost.send_signal(signal.SIGKILL)

    killing = threading.Thread(target=kill)
    killing.start()
    evidence = asked(dask, queries)
    killing.join()
    assert [evidence.of(query) for query in queries if evidence.of(query) != left.pid] == [
        lost.pid for query in queries if evidence.of(query) != left.pid
    ]
    again = {path.name.partition("-")[0] for path in seen.glob(f"*-{lost.pid}")}
    assert again
    assert {q.target.name for q in queries if evidence.of(q) == left.pid} & again


def test_another_version_is_refused(dask, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(ROOT / "opsverify", copy / "opsverify", ignore=shutil.ignore_patterns("__pycache__"))
    with (copy / "opsverify" / "errors.py").open("a") as file:
        file.write("# not the same\n")
    dask.worker(path=copy)
    ready(dask, 1)
    with pytest.raises(
        ClusterError, match=r"worker .* has opsverify .*, and here is opsverify .*: they must be the same"
    ):
        Cluster(dask.address)


def test_a_cluster_that_cannot_be_used_is_told_in_one_sentence(dask, monkeypatch):
    with pytest.raises(ClusterError, match="has no workers"):
        Cluster(dask.address)
    dask.worker("--resources", "osaka=1")
    ready(dask, 1)
    with pytest.raises(ClusterError, match=r"no worker at .* has the resource tokyo \(there are: osaka\)"):
        Cluster(dask.address, ["tokyo"])
    monkeypatch.setattr("opsverify.evidence.cluster.CONNECT_SECONDS", 1)
    for address, said in (
        ("tcp://scheduler.example:8786", "is not encrypted, and targets hold credentials"),
        ("scheduler:8786", "allowed dask://scheduler:8786"),
        ("http://scheduler:8786", "allowed dask://scheduler:8786"),
        ("dask://scheduler:99999", "allowed dask://scheduler:8786"),
        ("dask://scheduler:x", "allowed dask://scheduler:8786"),
        ("tls://127.0.0.1:1", "no Dask scheduler answers at tls://127.0.0.1:1"),
    ):
        with pytest.raises(ClusterError, match=said):
            Cluster(address)


def test_a_run_on_a_cluster(dask, tmp_path):
    dask.worker("--nthreads", "4", "--resources", "tokyo=4")
    ready(dask, 1)
    project = tmp_path / "project"
    (project / "environments").mkdir(parents=True)
    for name in ("conftest.py", "pytest.ini", "checks"):
        (project / name).symlink_to(ROOT / name)
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{closed.getsockname()[1]}"
        excused = "".join(f"  {kind}: not part of this test\n" for kind in KINDS if kind not in ("apis", "hosts"))
        (project / "environments" / "here.yaml").write_text(
            f"hosts: {{here: {{}}}}\napis: {{far: {{url: '{address}', via: tokyo, token: '${{TOKEN}}'}}}}\n"
            f"not_applicable:\n{excused}"
        )
        command = [sys.executable, "-m", "pytest", "--env", "here", "-k", "api_health or memory_usage"]
        env = {**dask.variables, "PYTHONPATH": str(ROOT), "TOKEN": SECRET}

        def run(*more: str) -> tuple[int, str]:
            done = subprocess.run(
                [*command, *more], cwd=project, env=env, capture_output=True, text=True, timeout=HANGS, check=False
            )
            return done.returncode, done.stdout + done.stderr

        code, output = run("--executor", dask.address)
        assert "api far: http://127.0.0.1" in output
        assert "1 normal" in output
        assert SECRET not in output + dask.logs()
        assert code == 1
        code, output = run()
        assert "api far via tokyo: reached by a worker only" in output
        assert code != 0


def test_without_certificates_nothing_is_tried(monkeypatch):
    pytest.importorskip("distributed")
    with pytest.raises(ClusterError, match=r"Dask's configuration names none \(distributed.comm.tls: ca_file, cert"):
        Cluster("dask://127.0.0.1:1")


@pytest.mark.parametrize(
    ("probe", "target", "here"),
    [
        (host_probe, Host(connection="local://"), True),
        (host_probe, Host(connection="docker://app"), True),
        (host_probe, Host(connection="ssh://a@127.0.0.1"), True),
        (host_probe, Host(connection="ssh://a@app1.example"), False),
        (restore_probe, Host(connection="ssh://a@app1.example"), True),
        (http_probe, Api(url="http://localhost:3004"), True),
        (http_probe, Api(url="http://[::1]:3004"), True),
        (http_probe, Api(url="https://mycats.example"), False),
        (http_probe, Database(dsn="postgresql://u@/mycats"), True),
        (http_probe, Database(dsn="postgresql://u@db1/mycats"), False),
        (http_probe, Document(holds="runbook", location="/srv/runbook.md"), True),
        (http_probe, Document(holds="runbook", location="https://wiki.example/runbook"), False),
    ],
)
def test_what_is_about_this_machine_stays_here(probe, target, here):
    assert belongs_here(probe, target) is here


def test_the_version_says_what_code_it_is():
    assert version().startswith("opsverify 1.")
    assert f"on Python {sys.version_info[0]}.{sys.version_info[1]}" in version()
