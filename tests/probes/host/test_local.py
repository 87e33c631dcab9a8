"""The host probe on this very machine."""

from __future__ import annotations

import os
import pickle
import shutil
import signal
import socket
import subprocess
import sys
import tarfile
import tempfile
import time
from pathlib import Path

import pytest

import opsverify
from opsverify.config.environment import Host
from opsverify.errors import MissingPrivilege, ProbeError, Unreachable
from opsverify.evidence.deadline import Deadline
from opsverify.probes.host.files.archives import ArchiveContents
from opsverify.probes.host.files.dumps import DatabaseDumps
from opsverify.probes.host.files.listing import FileListing
from opsverify.probes.host.probe import archive_probe, judge, probe
from opsverify.probes.host.run import run
from opsverify.probes.host.script import compose, read
from opsverify.probes.host.system.filesystems import Filesystems
from opsverify.probes.host.system.memory import Memory
from opsverify.probes.host.system.process_environment import ProcessEnvironment
from opsverify.probes.host.system.process_version import ProcessExecutableVersion
from opsverify.probes.host.system.service_listens import ServiceListens
from opsverify.probes.host.system.services import ServiceState
from opsverify.probes.host.system.versions import CommandVersion
from tests.pace import AMPLE

SECRET = "Xk9-unmistakable-Zq4/value+of_a_secret=="
PASSWORD = "p%40ss-unmistakable"
URL = f"postgresql://mycats:{PASSWORD}@db.internal:5433/mycats_production?schema=public"
LOCAL = Host(connection="local://")


def ask(*questions, seconds=AMPLE, host=LOCAL, through=probe):
    return through(host, frozenset(questions), Deadline(seconds))


@pytest.fixture
def server(tmp_path):
    """A service as pnpm starts it: a wrapper, a shell, and the process that listens, with secrets around it."""
    code = "import socket,time; s=socket.create_server(('127.0.0.1', 0)); print(s.getsockname()[1], flush=True); time.sleep(60)"
    wrapper = (
        f"import subprocess,sys; subprocess.run(['/bin/sh', '-c', '{sys.executable} -c \"$0\"; exit 0', sys.argv[1]])"
    )
    environment = {
        "PATH": os.environ["PATH"], "JWT_SECRET": SECRET, "DATABASE_URL": URL, "NODE_ENV": "production",
        "CORS_ORIGIN": "", "OTHER": "never sent",
    }  # fmt: skip
    process = subprocess.Popen([sys.executable, "-c", wrapper, code], env=environment, stdout=subprocess.PIPE, text=True,
                               start_new_session=True)  # fmt: skip
    port = int(process.stdout.readline())
    pid_file = tmp_path / "backend.pid"
    pid_file.write_text(f"{process.pid}\n/some/folder\n")
    yield process, port, str(pid_file)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    process.stdout.close()


def test_a_services_environment_is_known_without_its_secrets(server, tmp_path):
    _, _, pid_file = server
    dotenv = tmp_path / ".env"
    dotenv.write_text(
        f"PORT=3004\nCORS_ORIGIN='https://cats.example'\nJWT_SECRET={SECRET}other\n# a comment\nbad line\n"
    )
    question = ProcessEnvironment(pid_file=pid_file, env_files=(str(dotenv), str(tmp_path / "none")))
    facts = ask(question)[question]
    assert facts.present == {"JWT_SECRET", "DATABASE_URL", "NODE_ENV", "PORT"}
    assert facts.empty == {"CORS_ORIGIN"}
    assert dict(facts.values) == {"NODE_ENV": "production", "PORT": "3004"}
    assert dict(facts.sources)["PORT"] == str(dotenv)
    assert dict(facts.sources)["JWT_SECRET"].startswith("process ")
    assert (facts.database.host, facts.database.port, facts.database.database, facts.database.user) == (
        "db.internal", 5433, "mycats_production", "mycats",
    )  # fmt: skip
    assert facts.secret("JWT_SECRET").length_bits >= 8 * 32
    for text in (repr(facts), repr(pickle.dumps(facts)), str(facts)):
        assert "unmistakable" not in text
    assert facts.secret("JWT_SECRET").sha256 not in repr(facts)


def test_files_that_node_itself_reads_are_read_in_its_way(shell, tmp_path):
    program = shutil.which("node") or pytest.skip("Node.js is not installed")
    (tmp_path / "own file").write_text("JWT_SECRET=q7#Zr9w\nPORT=1\n")
    (tmp_path / "later.env").write_text("PORT=2\n")
    (tmp_path / "behind.env").write_text("CORS_ORIGIN=z\n")
    os.mkfifo(tmp_path / "pipe")
    show = "['JWT_SECRET', 'PORT', 'CORS_ORIGIN'].map(name => process.env[name])"
    (tmp_path / "main.js").write_text(f"console.log(...{show}); setTimeout(() => {{}}, 1e9)")
    command = [program, "--env-file=own file", "--env-file", str(tmp_path / "later.env"), "-r", "fs"]
    env = {"NODE_ENV": "production"}
    process = subprocess.Popen(
        [*command, "main.js", "--env-file=behind.env", "--", "--env-file=pipe"],
        cwd=tmp_path,
        env=env,
        stdout=subprocess.PIPE,
    )
    try:
        assert process.stdout.readline() == b"q7 2 z\n"
        (tmp_path / "pid").write_text(f"{process.pid}\n")
        question = ProcessEnvironment(pid_file=str(tmp_path / "pid"), env_files=(str(tmp_path / "own file"),))
        facts = question.parse(shell(question)[0][question])
    finally:
        process.kill()
        process.communicate()
    assert dict(facts.values) == {"NODE_ENV": "production", "PORT": "2", "CORS_ORIGIN": "z"}
    assert dict(facts.sources)["JWT_SECRET"] == str(tmp_path / "own file")
    assert facts.secret("JWT_SECRET").length_bits == 16
    assert facts.unreadable == ()


def test_no_error_keeps_what_a_host_said(server, monkeypatch):
    _, _, pid_file = server

    def broken(self, answer):
        text = answer.text
        raise ValueError(f"bug with {text}")

    monkeypatch.setattr(ProcessEnvironment, "parse", broken)
    question = ProcessEnvironment(pid_file=pid_file)
    error = ask(question)[question]
    assert isinstance(error, ProbeError)
    assert "unmistakable" not in str(error)
    assert error.__traceback__ is None
    assert error.__context__ is None
    assert error.__cause__ is None


def test_a_port_is_held_by_the_service_itself_or_by_another(server, tmp_path):
    process, port, pid_file = server
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken, free = other.getsockname()[1], port
        own, foreign = ServiceListens(pid_file=pid_file, port=free), ServiceListens(pid_file=pid_file, port=taken)
        (tmp_path / "gone.pid").write_text("4194305\n")
        stopped = ServiceListens(pid_file=str(tmp_path / "gone.pid"), port=port)
        nobody = ServiceListens(pid_file=pid_file, port=1)
        facts = ask(own, foreign, stopped, nobody)
    assert facts[own].listening
    assert facts[own].is_service_process
    assert facts[own].addresses == ("127.0.0.1",)
    assert facts[own].service_pids[0] == process.pid
    assert facts[own].owner_pid in facts[own].service_pids
    assert facts[foreign].listening
    assert facts[foreign].is_service_process is False
    assert facts[foreign].owner_pid == os.getpid()
    assert facts[stopped].is_service_process is False
    assert facts[stopped].service_pids == ()
    assert not facts[nobody].listening


def test_the_running_executable_says_its_version(server):
    _, _, pid_file = server
    name = os.path.basename(os.path.realpath(sys.executable))
    right, wrong = (ProcessExecutableVersion(pid_file=pid_file, executable=n) for n in (name, "node"))
    facts = ask(right, wrong)
    assert facts[right].numbers == sys.version_info[:3]
    assert isinstance(facts[wrong], ProbeError)
    assert name in str(facts[wrong])


def test_the_executable_of_a_service_that_does_not_run(tmp_path):
    stopped = ProcessExecutableVersion(pid_file=str(tmp_path / "backend.pid"))
    answer = ask(stopped)[stopped]
    assert isinstance(answer, Unreachable)
    assert str(answer) == f"{tmp_path}/backend.pid does not run"
    assert answer.cause.message == "it does not run"


def test_pid_files_lead_to_processes_or_say_why_not(server, tmp_path):
    process, _, pid_file = server
    for name, text in {"empty": "", "words": "hello\n", "gone": "4194305\n"}.items():
        (tmp_path / name).write_text(text)
    os.utime(pid_file, (time.time() + 60, time.time() + 60))
    (tmp_path / "reused").write_text(f"{process.pid}\n")
    os.utime(tmp_path / "reused", (1e9, 1e9))
    names = (pid_file, *(str(tmp_path / n) for n in ("empty", "words", "gone", "reused", "missing")))
    alive, empty, words, gone, reused, missing = (ServiceState(pid_file=name) for name in names)
    facts = ask(alive, empty, words, gone, reused, missing)
    assert facts[alive].running
    assert facts[alive].process.pid == process.pid
    assert abs(facts[alive].process.started_at.timestamp() - time.time()) < 30
    assert len(facts[alive].process.command) == 2
    assert isinstance(facts[empty], ProbeError)
    assert isinstance(facts[words], ProbeError)
    assert facts[gone].exists
    assert not facts[gone].running
    assert facts[reused].process.stale
    assert not facts[reused].running
    assert not facts[missing].exists


def test_dumps_whole_cut_failed_and_growing(tmp_path):
    marker = "--\n-- PostgreSQL database dump complete\n--\n\n\\unrestrict abc\n\n"
    header = "\\restrict abc\n--\n-- PostgreSQL database dump\n--\n\n-- Dumped from database version 15.18 (Debian)\n"
    header += "-- Dumped by pg_dump version 15.18 (Debian)\n\n"
    contents = {
        "db_5.sql": header + "x\n" * 9000 + marker, "db_4.sql": header + "COPY a FROM stdin;\nERROR: a cat's name\n",
        "db_3.sql": 'pg_dump: error: connection to server at "db" failed\n', "db_2.sql": "", "db_1.sql": header,
    }  # fmt: skip
    for i, (name, text) in enumerate(contents.items()):
        (tmp_path / name).write_text(text)
        os.utime(tmp_path / name, (time.time() - 3600 - i, time.time() - 3600 - i))
    (tmp_path / "db_custom.dump").write_bytes(b"PGDMP\x01\x0e")
    question, custom = DatabaseDumps(str(tmp_path), look_at=4), DatabaseDumps(str(tmp_path), "*.dump")
    with (tmp_path / "db_5.sql").open("a"):
        busy = ask(question)[question]
    facts = ask(question, custom, DatabaseDumps(str(tmp_path / "none")))
    whole, cut, failed, empty, old = facts[question].dumps
    assert [dump.writing for dump in busy.dumps] == [True, False, False, False, False]
    assert busy.newest.name == "db_4.sql"
    assert (whole.complete, whole.server_version, whole.dump_version) == (True, "15.18", "15.18")
    assert (cut.complete, cut.error_text) == (False, None)
    assert failed.error_text.startswith("pg_dump: error")
    assert (empty.format, empty.complete, empty.size_bytes) == ("empty", False, 0)
    assert (old.looked_at, old.complete) == (False, None)
    assert facts[custom].dumps[0].format == "custom"
    assert facts[custom].dumps[0].complete is None
    assert not facts[DatabaseDumps(str(tmp_path / "none"))].exists


def test_archives_are_read_to_their_end(tmp_path):
    for name in ("backend/package.json", "frontend/src/page.tsx", "backend/node_modules/x/index.js"):
        path = tmp_path / "src" / name
        path.parent.mkdir(parents=True)
        path.write_bytes(os.urandom(50_000))
    archive = tmp_path / "app_1.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(tmp_path / "src", "opt/my cats")
    cut = tmp_path / "app_2.tar.gz.part"
    cut.write_bytes(archive.read_bytes()[:-20_000])
    must, must_not = ("backend", "frontend", "backend/package.json", "pnpm-lock.yaml"), ("node_modules", ".git")
    good = ArchiveContents(str(tmp_path), must_hold=must, must_not_hold=must_not)
    bad = ArchiveContents(str(tmp_path), "*.part", must, must_not)
    gz = tmp_path / "broken_1.tar.gz"
    gz.write_bytes(archive.read_bytes()[:-20_000])
    broken, none = ArchiveContents(str(tmp_path), "broken_*.tar.gz", must), ArchiveContents(str(tmp_path), "zzz*")
    facts = ask(good, bad, broken, none, through=archive_probe)
    assert facts[good].readable
    assert facts[good].error is None
    assert facts[good].held == {"backend", "frontend", "backend/package.json"}
    assert facts[good].forbidden == (("node_modules", "opt/my cats/backend/node_modules/"),)
    assert facts[good].members > 5
    assert not facts[bad].readable
    assert not facts[broken].readable
    assert "unexpected end of file" in facts[broken].error
    assert facts[none].name is None


@pytest.mark.skipif(os.getuid() != 0 or not shutil.which("setpriv"), reason="only root can become somebody else")
@pytest.mark.parametrize(
    ("exec_start", "argv0", "sentence"),
    [("{folder}/node", "node", "as its unit starts it (what process "), ("/bin/sh", "{folder}/node", "as its command names it"), ("/bin/sh", "node", None)],
)  # fmt: skip
def test_a_hidden_executable_is_told_as_its_service_starts_it(exec_start, argv0, sentence):
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        os.chmod(folder, 0o755)
        shutil.copy("/bin/sleep", f"{folder}/node")
        with subprocess.Popen([argv0.format(folder=folder), "60"], executable=f"{folder}/node") as process:
            started = f"ExecStart={{ path={exec_start.format(folder=folder)} ; argv[]=node 60 ; ignore_errors=no ; }}"
            Path(f"{folder}/systemctl").write_text(
                f"#!/bin/sh\ncase \"$*\" in *ExecStart*) echo '{started}';; *) echo MainPID={process.pid};; esac\n"
            )
            os.chmod(f"{folder}/systemctl", 0o755)
            question = ProcessExecutableVersion(unit="mycats-backend")
            script = compose([question], 10)
            other = [
                "setpriv",
                "--reuid=65534",
                "--regid=65534",
                "--clear-groups",
                "env",
                f"PATH={folder}:/usr/bin:/bin",
            ]
            answers, _ = read(
                script, run([*other, "/bin/sh", "-c", 'eval "$(cat)"'], 10, feed=script.text.encode()).output
            )
            process.kill()
    fact = judge(question, answers[question])
    if sentence is None:
        assert isinstance(fact, MissingPrivilege)
        assert "neither its unit nor its command, node, names a node by a whole path" in str(fact)
    else:
        assert sentence in fact.with_note
        assert fact.path == f"{folder}/node"
        assert fact.numbers


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become somebody else")
def test_what_an_ordinary_account_may_not_see_names_the_privilege(server, tmp_path):
    _, port, pid_file = server
    (tmp_path / "closed").mkdir(mode=0o700)
    os.chmod(tmp_path, 0o755)
    for parent in tmp_path.parents:
        if str(parent) == "/tmp":
            break
        os.chmod(parent, 0o755)
    questions = {
        ProcessEnvironment(pid_file=pid_file): MissingPrivilege,
        FileListing(str(tmp_path / "closed")): MissingPrivilege,
        ProcessExecutableVersion(pid_file=pid_file): MissingPrivilege,
    }
    listens = ServiceListens(pid_file=pid_file, port=port)
    if shutil.which("setpriv") is None:
        pytest.skip("setpriv is not installed")
    script = compose([*questions, listens], 10)
    command = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "/bin/sh", "-c", 'eval "$(cat)"']
    answers, _ = read(script, run(command, 10, feed=script.text.encode()).output)
    facts = {question: judge(question, answer) for question, answer in answers.items()}
    for question, kind in questions.items():
        assert isinstance(facts[question], kind), facts[question]
    assert facts[listens].listening
    assert facts[listens].is_service_process is None


def test_only_named_file_systems_and_those_not_mounted():
    question = Filesystems(only=("/", "/not mounted"))
    root, absent = ask(question)[question]
    assert root.mount == "/"
    assert 0 <= root.used_percent <= 100
    assert "is not mounted" in absent.problem


def test_a_missing_tool_is_one_clear_sentence():
    for name in ("docker://x", "podman://x", "kubectl://x", "openshift://x", "lxc://x"):
        tool = {"kubectl": "kubectl", "openshift": "oc"}.get(name.split(":")[0], name.split(":")[0])
        if shutil.which(tool) is None:
            with pytest.raises(ProbeError, match=f"the command {tool} is not installed where the suite runs"):
                ask(Memory(), host=Host(connection=name))
    with pytest.raises(ProbeError):
        ask(Memory(), host=Host(connection="salt://x"))
    with pytest.raises(ProbeError):
        ask(Memory(), host=Host(connection="ansible://x"))


def test_a_missing_command_is_a_fact_and_a_late_host_is_not():
    assert ask(CommandVersion("no-such-command"))[CommandVersion("no-such-command")].found is False
    with pytest.raises(Unreachable):
        ask(Memory(), seconds=0.001)


def test_importing_the_probe_is_cheap():
    code = "import sys, opsverify.probes.host; print(sorted(m for m in ('testinfra','pydantic','pytest') if m in sys.modules))"
    root = Path(opsverify.__file__).parents[1]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
