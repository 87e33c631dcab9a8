"""What commands of a runbook name, asked for in real shells; and that none of it is ever run."""

from __future__ import annotations

import json
import os
import subprocess

import pytest

from opsverify.errors import ProbeError
from opsverify.probes.host.question import Answer
from opsverify.probes.host.release.named_things import (
    ABSENT,
    HERE,
    HIDDEN,
    SAMPLES,
    NamedThings,
    Search,
)

REQUEST = '198.51.100.7 - - [30/Nov/2026:10:00:00 +0900] "GET /a HTTP/1.1" {} {} "-" "x"'


@pytest.fixture
def checkout(tmp_path):
    """A workspace in a folder with an awkward name."""
    path = tmp_path / "it's my cats"
    files = {
        "package.json": json.dumps({"name": "mycats", "scripts": {"test:health": "curl -s http://x/health"}}),
        "pnpm-lock.yaml": "lockfileVersion: '9.0'\n",
        "backend/package.json": json.dumps({"name": "backend", "scripts": {"start:prod": "node dist/main"}}, indent=2),
        "frontend/package.json": "{ no json",
        "node_modules/x/package.json": "{}",
        "scripts/send-alert.sh": "#!/bin/sh\n",
        "access.log": "\n".join([REQUEST.format(200, 4042), REQUEST.format(429, 0), REQUEST.format(200, 7), "junk"])
        + "\n",
        "app.log": '{"level":"info","msg":"a"}\n  at x\n{"time":1,"level":50,"msg":"{\\"level\\":30}"}\n',
    }
    for name, text in files.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_text(text)
    return path


def test_everything_that_is_named(shell, checkout):
    access, app = str(checkout / "access.log"), str(checkout / "app.log")
    searches = (
        Search(access, "E", "(40[0-9]|50[0-9])"),
        Search(access, "E", "(((broken"),
        Search(app, "", 'level":50'),
        Search(app, "iE", "-e weird $(touch /tmp/no) `id`"),
    )
    question = NamedThings(
        (str(checkout), "/nowhere/mycats"),
        ("./send-alert.sh", "scripts/send-alert.sh", "backend", "/etc", "/nowhere/x", "package.json/y", "-rf", "a b*?"),
        ("surely-not-there",),
        searches,
    )
    answers, whole, _ = shell(question)
    assert whole
    facts = question.parse(answers[question])
    here = str(checkout)
    assert {path: state for path, state in facts.paths.items() if not path.startswith("/nowhere/mycats")} == {
        f"{here}/./send-alert.sh": ABSENT,
        f"{here}/scripts/send-alert.sh": HERE,
        f"{here}/backend": HERE,
        "/etc": HERE,
        "/nowhere/x": ABSENT,
        f"{here}/package.json/y": ABSENT,
        f"{here}/-rf": ABSENT,
        f"{here}/a b*?": ABSENT,
    }
    assert facts.elsewhere == {"./send-alert.sh": f"{here}/scripts/send-alert.sh"}
    mine, other = facts.checkouts
    assert (mine.state, other.state) == (HERE, ABSENT)
    assert mine.locks == ("pnpm-lock.yaml",)
    assert {package.path: dict(package.scripts) for package in mine.packages} == {
        f"{here}/package.json": {"test:health": "curl -s http://x/health"},
        f"{here}/backend/package.json": {"start:prod": "node dist/main"},
    }
    assert mine.closed == (f"{here}/frontend/package.json",)
    assert facts.units.get("surely-not-there", ABSENT) == ABSENT
    assert facts.searches.keys() == {searches[0], searches[2], searches[3]}
    requests = facts.searches[searches[0]]
    assert requests.own == [("200", True), ("429", False), ("200", False), ("", False)]
    assert requests.finds(0)
    assert not requests.finds(1)
    lines = facts.searches[searches[2]]
    assert lines.own == [("info", False), ("", False), ("50", True)]
    assert lines.finds(3)
    assert len(lines.kinds) == len(SAMPLES) + 3


def test_nothing_of_a_document_is_run(shell, checkout, tmp_path):
    proof = tmp_path / "run"
    words = [
        f"$(touch {proof})",
        f"`touch {proof}`",
        f"; touch {proof};",
        f"' ; touch {proof} ; '",
        f"a\\\ntouch {proof}",
    ]
    question = NamedThings(
        (str(checkout), *words), tuple(words), tuple(words), tuple(Search(word, "E", word) for word in words)
    )
    answers, _, _ = shell(question)
    assert question in answers
    assert not proof.exists()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may enter every folder")
def test_a_folder_that_may_not_be_entered_hides_what_is_in_it(shell, checkout):
    (checkout / "scripts").chmod(0)
    question = NamedThings((str(checkout),), ("scripts/send-alert.sh",))
    answers, _, _ = shell(question)
    (checkout / "scripts").chmod(0o755)
    assert question.parse(answers[question]).paths == {f"{checkout}/scripts/send-alert.sh": HIDDEN}


def test_an_answer_that_is_cut_off_is_none():
    with pytest.raises(ProbeError, match="cut off"):
        NamedThings().parse(Answer(b"== path here /x\n"))
    with pytest.raises(ProbeError):
        NamedThings().parse(Answer(b""))
    assert NamedThings().parse(Answer(b"== path here /x\n== end\n")).paths == {"/x": HERE}


def test_an_unprivileged_reader_is_told_what_is_hidden(checkout, tmp_path):
    """As root, another account is asked: what it may not see is hidden, and not missing."""
    if os.geteuid() != 0:
        pytest.skip("takes root")
    secret = tmp_path / "secret"
    secret.mkdir(mode=0o700)
    (secret / "x").touch()
    for folder in (tmp_path, *tmp_path.parents[:3]):  # one more where several processes run tests
        folder.chmod(folder.stat().st_mode | 0o055)
    script = NamedThings((), (f"{secret}/x", f"{secret}/y", str(tmp_path))).script()
    done = subprocess.run(
        ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "sh", "-c", script],
        capture_output=True, text=True, cwd="/",
    )  # fmt: skip
    if done.returncode != 0:
        pytest.skip(done.stderr)
    facts = NamedThings().parse(Answer(done.stdout.encode()))
    assert facts.paths == {f"{secret}/x": HIDDEN, f"{secret}/y": HIDDEN, str(tmp_path): HERE}
