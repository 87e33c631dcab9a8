"""The scripts that run on hosts, as files: clean by shellcheck, and understood by every shell and awk they may meet."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import pytest

import opsverify
from opsverify.probes.host import shell
from opsverify.probes.host.logs.access import AccessLog
from opsverify.probes.host.logs.application import ApplicationLog
from opsverify.probes.host.logs.calls import ApiCalls
from opsverify.probes.host.logs.log_state import LogState
from opsverify.probes.host.logs.logins import SshLogins
from opsverify.probes.host.logs.window import Source
from opsverify.probes.host.question import Answer, Question
from opsverify.probes.host.run import run
from opsverify.probes.host.script import compose, marked, read
from opsverify.probes.host.shell_file import AwkFunctions, ShellFile
from opsverify.probes.host.system.services import ServiceState
from opsverify.probes.host.system.stopped import NodeProcesses
from tests.probes.properties.questions import instances, kinds

ROOT = Path(opsverify.__file__).parent
SCRIPTS = sorted(ROOT.rglob("*.sh"))
PROGRAMS = sorted(ROOT.rglob("*.awk"))
SHELLS = {"dash": ["dash"], "bash": ["bash", "--posix"], "busybox": ["busybox", "sh"]}
AWKS = {"mawk": ["mawk"], "gawk": ["gawk", "--posix"], "busybox": ["busybox", "awk"]}


def installed(command: list[str]) -> list[str]:
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not installed")
    return command


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def test_there_are_some() -> None:
    assert {"system/memory.sh", "functions/main_pids.sh"} <= {name(path)[len("probes/host/") :] for path in SCRIPTS}
    assert {"filesystems.awk", "when.awk"} <= {path.name for path in PROGRAMS}


def test_every_line_of_ours_can_be_marked() -> None:
    """What begins one stands at the beginning of a string, and where it does not, it compares."""
    for path in [*SCRIPTS, *PROGRAMS]:
        text = ShellFile("opsverify." + ".".join(path.parent.relative_to(ROOT).parts), path.name).text
        assert re.findall(r".*[^ `\n]== .*|^== .*|.*==\*.*", marked(text, "=x="), re.MULTILINE) == [], path


def test_shellcheck_has_nothing_to_say() -> None:
    program = Path(sys.executable).with_name("shellcheck")
    command = installed([str(program) if program.exists() else "shellcheck"])
    done = subprocess.run([*command, *SCRIPTS], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("kind", SHELLS)
@pytest.mark.parametrize("path", SCRIPTS, ids=name)
def test_every_shell_can_parse_them(path: Path, kind: str) -> None:
    done = subprocess.run([*installed(SHELLS[kind]), "-n", path], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("kind", AWKS)
@pytest.mark.parametrize("path", PROGRAMS, ids=name)
def test_every_awk_can_parse_them(path: Path, kind: str) -> None:
    # The programs of logs run behind functions that they share.
    files = [
        path.with_name(shared)
        for shared in ("when.awk", "printed.awk", "combined.awk")
        if path.with_name(shared).exists()
    ]
    options = [option for file in dict.fromkeys([*files, path]) for option in ("-f", file)]
    done = subprocess.run([*installed(AWKS[kind]), *options, "/dev/null"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_no_script_is_written_in_python() -> None:
    # `script` puts arguments before the text of a file; whoever overrides it would format shell.
    assert [kind.__name__ for kind in kinds() if kind.script is not Question.script] == []


TIMES = [
    ("2026-03-02T10:00:00Z", 1772445600),
    ("2026-03-02 19:00:00,123 +0900 x", 1772445600),
    ('{"time":1772445600000,"level":50}', 1772445600),
    ('{"level":"error","timestamp":"2026-03-02T10:00:00.5+00:00"}', 1772445600),
    ('127.0.0.1 - - [02/Mar/2026:10:00:00 +0000] "GET / HTTP/1.1" 200 1', 1772445600),
    ("[Nest] 7  - 03/02/2026, 10:00:00 AM   ERROR x", 1772445600),
    ("Mar  2 10:00:00 host sshd[1]: x", 1772445600),
    ("no time at all", -1),
]


@pytest.mark.parametrize("kind", AWKS)
def test_times_are_read_alike_by_every_awk(kind: str) -> None:
    functions = (ShellFile("opsverify.probes.host.logs", f"{name}.awk").text for name in ("when", "printed"))
    program = "\n".join([*functions, '{ printf "%.0f\\n", when($0) }'])
    variables = ["-v", "now=1772450000", "-v", "since=0", "-v", "offset=0", "-v", "year=2026"]
    lines = "".join(f"{text}\n" for text, _ in TIMES)
    done = subprocess.run(
        [*installed(AWKS[kind]), *variables, program], input=lines, capture_output=True, text=True, check=True
    )
    assert [int(line) for line in done.stdout.split()] == [seconds for _, seconds in TIMES]


@pytest.mark.parametrize("kind", SHELLS)
def test_main_pids_finds_a_process_by_its_pid_file(kind: str, tmp_path: Path) -> None:
    child = subprocess.Popen(["sleep", "60"])
    try:
        (tmp_path / "x.pid").write_text(f"{child.pid}\n")
        for place, output in ((tmp_path / "x.pid", f"== main {child.pid}"), (tmp_path / "none", "== nomain")):
            arguments = ServiceState(pid_file=str(place)).service_arguments
            script = f'{shell.MAIN_PIDS.text}\nmain_pids "$@"'
            command = [*installed(SHELLS[kind]), "-c", script, "sh", *arguments]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            assert done.stdout.strip() == output
    finally:
        child.kill()
        child.wait()


def test_arguments_are_quoted_and_the_head_is_left_at_home(tmp_path: Path) -> None:
    called = ShellFile("opsverify.probes.host.system", "alert_script.sh").called_with(["a'b $(id) \n c"])
    assert "shellcheck" not in called
    output = subprocess.run(["sh", "-c", called], capture_output=True, text=True, check=True).stdout
    assert output.startswith("== missing ls: cannot access 'a'")
    assert AwkFunctions("opsverify.probes.host.logs", "when.awk").text.startswith("when_awk='function days")


@cache
def answers(sh: str, awk: str, tools: Path, questions: tuple[Question, ...]) -> dict[Question, Answer]:
    """What this machine answers, with one shell and one awk."""
    folder = tools / f"{sh}-{awk}-{len(questions)}"
    folder.mkdir()
    for program, name in ((sh, "sh"), (awk, "awk")):
        (folder / name).symlink_to(str(shutil.which(program)))
    script = compose(questions, 8)
    inner = f"{folder}/sh"
    text = script.text.replace("/bin/sh -c", f"{inner} -c")
    done = run([inner, "-c", 'eval "$(cat)"'], 60, feed=text.encode(),
               env={"PATH": f"{folder}:{os.environ['PATH']}", "HOME": "/"})  # fmt: skip
    sections, whole = read(script, done.output)
    assert whole
    return sections


COMBINATIONS = [("dash", "gawk"), ("dash", "busybox"), ("bash", "mawk"), ("busybox", "mawk"), ("busybox", "busybox")]
"""Shells and awks; the first of each kind is what Debian's hosts have, and what the others are compared with."""


@pytest.fixture(scope="module")
def answered(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., dict[Question, Answer]]:
    tools = tmp_path_factory.mktemp("tools")

    def by(sh: str, awk: str, *questions: Question) -> dict[Question, Answer]:
        for program in (sh, awk):
            installed([program])
        return answers(sh, awk, tools, questions)

    return by


@pytest.mark.slow
@pytest.mark.exhaustive
@pytest.mark.parametrize(("sh", "awk"), COMBINATIONS)
def test_every_question_is_answered_alike_by_every_shell_and_awk(
    answered: Callable[..., dict[Question, Answer]], sh: str, awk: str
) -> None:
    usual, other = answered("dash", "mawk", *instances()), answered(sh, awk, *instances())
    for question in instances():
        if isinstance(question, NodeProcesses):
            continue  # those of other tests come and go
        if {124, 137, 143} & {usual[question].status, other[question].status}:
            continue  # a busy machine took longer than the question may
        assert "yntax error" not in usual[question].errors + other[question].errors, question
        structure = [
            (answer.status, {block.name for block in answer.blocks()}) for answer in (usual[question], other[question])
        ]
        assert structure[0] == structure[1], (question, other[question].errors)


@pytest.mark.slow
@pytest.mark.parametrize(("sh", "awk"), COMBINATIONS)
def test_logs_are_summed_up_alike_by_every_shell_and_awk(
    answered: Callable[..., dict[Question, Answer]], logs: tuple[Question, ...], sh: str, awk: str
) -> None:
    usual, other = answered("dash", "mawk", *logs), answered(sh, awk, *logs)
    for question in logs:
        # The clock goes on, and no awk promises an order of what `for (x in y)` gives.
        summaries = [
            sorted(re.sub(r"^(== window|== clock) .*", r"\1", line.replace(answer.mark, "==")) for line in answer.lines)
            for answer in (usual[question], other[question])
        ]
        assert summaries[0] == summaries[1], (question, other[question].errors)
        assert len(summaries[0]) > 4, question


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Question, ...]:
    """Questions about logs that hold some of everything, blanks and what is special to shells in their names too."""
    folder = tmp_path_factory.mktemp("it's a [log] \\ of $(id)?")
    access, application, login = (folder / f"{name}.log" for name in ("access", "application", "auth"))
    now = datetime.now(UTC) - timedelta(minutes=5)
    requests = [
        ("/api/cats?t=1", 404, "192.0.2.1"),
        ("/.ENV", 200, "2001:db8::1"),
        ("/static/%2eenv", 200, "192.0.2.9"),
    ]
    access.write_text(
        "".join(
            f'{client} - - [{when:%d/%b/%Y:%H:%M:%S +0000}] "GET {path} HTTP/1.1" {status} 2 "-" "x" "10.0.0.1, 10.0.0.2"\n'
            for when in (now - timedelta(hours=30), now - timedelta(hours=3), now)
            for path, status, client in (*requests, ("/api/x", 503, "192.0.2.1"), ("/api/y", 401, "192.0.2.2"))
        )
        + "garbage\n"
    )
    milliseconds = int(now.timestamp() * 1000)
    application.write_text(
        f'{{"level":50,"time":{milliseconds},"msg":"took 17 ms","context":"Cats","path":"/cats?x=1"}}\n'
        f'{{"level":"fatal","time":"{now:%Y-%m-%dT%H:%M:%SZ}","message":"gone \\"for\\" good"}}\n'
        f'app-0 | {{"level":60,"time":{milliseconds},"msg":"behind a prefix"}}\n'
        "prisma:error \nInvalid invocation\n"
        f"\x1b[31m[Nest] 1  - {now.astimezone():%m/%d/%Y, %I:%M:%S %p}   ERROR [Handler] boom\x1b[39m\n"
    )
    messages = (
        "Failed password for invalid user x from 6.6.6.6 port 2 ssh2 from 10.0.0.1 port 22 ssh2",
        "message repeated 2 times: [ Failed password for root from 10.0.0.2 port 22 ssh2]",
        "Connection closed by authenticating user root 2001:db8::7 port 4 [preauth]",
        "Accepted publickey for deploy from 10.0.0.2 port 40001 ssh2: ED25519 SHA256:4qf0bM1nQxv7cEw2yKj9sT",
    )
    login.write_text("".join(f"{now:%Y-%m-%dT%H:%M:%S}Z host sshd[{n}]: {text}\n" for n, text in enumerate(messages)))
    return (
        AccessLog(Source(str(access)), 24, 5),
        ApiCalls(Source(str(access)), 24, 5, "/api/", ("/.env", "/wp-login.php")),
        ApplicationLog(Source(str(application)), 24),
        SshLogins(Source(f"{folder}/au*.log"), 24, 5),
        LogState(Source(f"{folder}/acc*.log")),
    )
