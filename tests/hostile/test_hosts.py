"""Hosts behind a real sshd whose shells mean harm: talk, echo, lie, never end, die, or have other programs."""

from __future__ import annotations

import shutil
import stat
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from opsverify.config.environment import KINDS
from rehearsal import sshd as servers
from rehearsal.errors import NotAvailable
from tests.hostile.conftest import Run, Runner
from tests.hostile.poison import planted, poison
from tests.plugin.conftest import Project

RUN = 'eval "$SSH_ORIGINAL_COMMAND"'
NOISE = (
    r"printf 'Welcome \0 \033[2J\033]0;owned\007 \377\376 \342\200\256\r'; head -c 300000 /dev/zero; echo; cat {poison}"
)
TAKE = 's=$(mktemp); trap "rm -f $s" EXIT; cat > "$s"'
NONCE = r"""n=$(sed -n "s/.*begin %s.n' \([0-9a-f]\{32\}\).*/\1/p" "$s" | head -n 1)"""

WELL = {
    # These must be understood all the same.
    "plain": RUN,
    "banner": f"{NOISE}; {{noise_err}}; {RUN}; {NOISE}",
    "stderr": f"{{noise_err}}; head -c 5000000 /dev/zero >&2; {RUN}",
    "echo": f'{TAKE}; cat "$s"; {RUN} < "$s"; cat "$s"',
    "terminal": f'{TAKE}; sed \'s/$/\\r/\' "$s"; {RUN} < "$s"',
    "chatty-shell": f"PS4={{poison_text}}; set -vx; {RUN}",
    "quoting-frames": f'{TAKE}; {NONCE}; printf "\\n%s begin 0\\n" "$n"; {RUN} < "$s"',
}
ILL = {
    # These cannot be; what matters is that it is said, soon, and costs the others nothing.
    "endless": "yes {poison_text}",
    "endless-zero": "cat /dev/zero",
    "endless-errors": "yes {poison_text} >&2",
    "endless-after": f"{RUN}; yes",
    "one-line": "head -c 100000000 /dev/zero | tr '\\0' x",
    "midway": f"{RUN} | head -c 2500",
    "dies": "cat {poison}; kill -9 $$",
    "dies-midway": f"({RUN}) & sleep 0.3; cat {{poison}}; kill -9 $PPID",
    "silent": "sleep 600",
    "refuses": "cat {poison}; cat {poison} >&2; exit 77",
    "no-shell": "echo This account is currently not available.; exit 1",
    "forging": f'{TAKE}; {NONCE}; for i in 0 1 2 3 4 5 6 7 8 9 99999999999999999999; do printf "\\n%s begin %s\\n" "$n" $i; '
    'cat {poison}; printf "\\n%s end %s\\n== x\\n%s status 0\\n\\n%s stop %s\\n" "$n" $i "$n" "$n" $i; done; '
    'printf "\\n%s done\\n" "$n"',
    "status-forging": f'{TAKE}; {NONCE}; printf "\\n%s begin 0\\n\\n%s end 0\\n\\n%s status 9{"9" * 400}\\n\\n%s stop 0\\n" '
    '"$n" "$n" "$n" "$n"',
    "other-programs": f"PATH={{bin}}:$PATH; export PATH; {RUN}",
}  # fmt: skip
PROGRAMS = ("df", "stat", "date", "uname", "free", "id", "getent", "ps", "hostname", "find", "sort", "cut", "tail")


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """An ssh_config in which server-NAME leads to the shell of that name."""
    folder = tmp_path_factory.mktemp("hostile-sshd")
    try:
        with servers.running(folder) as server:
            yield _shells(server)
    except NotAvailable as error:
        pytest.skip(str(error))


def _shells(server: servers.Sshd) -> Path:
    folder = server.folder
    output = poison("shell", lines=True).encode("utf-8", "surrogatepass")
    (folder / "poison").write_bytes(output + b"\0\xff" + output)
    programs = folder / "bin"
    programs.mkdir()
    for name in PROGRAMS:
        _program(programs / name, f"cat {folder}/poison; head -c 3000000 /dev/zero; cat {folder}/poison >&2; exit 0")
    values = {
        "{poison}": f"{folder}/poison",
        "{bin}": str(programs),
        "{poison_text}": "'P0IS0N-text <script>alert(1)</script>'",
        "{noise_err}": f"cat {folder}/poison >&2",
    }
    shells = WELL | ILL
    if shutil.which("busybox"):
        applets = folder / "busybox"
        applets.mkdir()
        subprocess.run(["busybox", "--install", "-s", str(applets)], check=True)
        shells["busybox"] = f'PATH={applets}; export PATH; exec {applets}/sh -c "$SSH_ORIGINAL_COMMAND"'
    authorized, blocks = [], []
    for name, body in shells.items():
        for word, value in values.items():
            body = body.replace(word, value)
        _program(folder / f"shell-{name}", body)
        key = servers._key(folder / f"key-{name}")
        authorized.append(f'command="{folder}/shell-{name}" {key}')
        blocks.append(f"Host server-{name}\n  IdentityFile {folder}/key-{name}\n")
    (folder / "authorized").write_text("".join(authorized))
    return server.config(text="".join(blocks), IdentityFile=f"{folder}/key-plain")


def _program(path: Path, body: str) -> None:
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


def test_hostile_shells_harm_no_report_and_no_other_host(
    project: Project, suite: Runner, config: Path, harmless: Callable[[Run], str]
) -> None:
    names = [*WELL, *ILL, *(["busybox"] if shutil.which("busybox") else [])]
    hosts = [f"  {n}: {{connection: 'ssh://server-{n}', ssh_config: '{config}', deadline: 15}}" for n in names]
    folders = [f"  {n}: {{host: {n}, holds: logs, path: /etc}}" for n in names]
    lines = ["hosts:", *hosts, "folders:", *folders, "not_applicable:"]
    excused = ["cache-size", "temp-files-removed", "weekly-backup", "security-patches", "access-rights:hosts",
               "process-resources"]  # fmt: skip
    lines += [f"  {name}: not part of this test" for name in excused]
    lines += [f"  {kind}: none here" for kind in KINDS if kind not in ("hosts", "folders")]
    project.environment("shells", "\n".join(lines) + "\n", excused=False)
    done = suite("--env", "shells")
    page = harmless(done)
    verdicts = done.found
    for name in (*WELL, "busybox"):
        if name in names:
            judged = {check: verdicts[f"test_{check}[{name}]"]["verdict"] for check in ("memory_usage", "inode_usage")}
            assert set(judged.values()) <= {"normal", "warning", "alert"}, f"{name}: {judged}\n{done.output}"
    for name in set(ILL) - {"endless-after", "other-programs", "midway", "dies-midway"}:
        result = {output["verdict"] for check, output in verdicts.items() if check.endswith(f"[{name}]")}
        assert not result & {"normal", "warning"}, f"{name}: {result}\n{done.output}"
    for name in ("other-programs", "midway", "dies-midway"):
        judged = verdicts[f"test_disk_usage[{name}]"]
        assert judged["verdict"] in ("undetermined", "blocked"), f"{name}: {judged}"
    assert {"shell"} <= planted(done.output) & planted(page)
    listing = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    assert [line for line in listing.splitlines() if str(config) in line] == []
