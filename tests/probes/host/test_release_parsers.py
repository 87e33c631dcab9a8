"""What a release's questions make of what git, pnpm, npm and Prisma really said (recorded), and of anything else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsverify.errors import MissingPrivilege, ProbeError
from opsverify.probes.host.probe import judge
from opsverify.probes.host.question import Answer
from opsverify.probes.host.release.audit import SEVERITIES, Audit, read_report
from opsverify.probes.host.release.branch_head import BranchHead
from opsverify.probes.host.release.builds import Build
from opsverify.probes.host.release.deployed_commit import DeployedCommit
from opsverify.probes.host.release.installed_packages import InstalledPackages
from opsverify.probes.host.release.named_commit import NamedCommit
from opsverify.probes.host.release.prisma import PrismaClient
from opsverify.probes.host.release.published import PublishedSecrets, assignments
from opsverify.probes.host.release.working_tree import WorkingTree

RECORDED = Path(__file__).parent / "recorded"
NAMES = ("DATABASE_URL", "*SECRET*", "*PASSWORD*")
PUBLISHED = PublishedSecrets(
    unit="mycats",
    env_files=(),
    checkout_path="/c",
    files=("*env*example*",),
    secret_names=NAMES,
    public_names=("*_TTL",),
    read_names=("DATABASE_URL", "JWT_SECRET"),
)
ALL = [
    DeployedCommit("/c"),
    NamedCommit("/c", "v1"),
    BranchHead("/c", "origin", "main"),
    WorkingTree("/c"),
    Build("/c", "dist/main.js"),
    PrismaClient("/c"),
    InstalledPackages("/c"),
    Audit("/c"),
    PUBLISHED,
]
HASH = "f4db486dd918039bda4d144ba2f177f87413b837"


def answer(*lines: str, errors: str = "", status: int = 0) -> Answer:
    return Answer(("\n".join(lines) + "\n").encode(), status, errors)


def quoted(name: str) -> list[str]:
    return [f" {line}" for line in (RECORDED / name).read_text().splitlines()]


PIECES = st.sampled_from(
    [
        "== folder /c",
        f"== head {HASH}",
        "== branch main",
        "== committed 1795568065",
        "== arrived x",
        "== tag",
        "== commit",
        "== end",
        f"== tracked {HASH}",
        "== heads",
        f"{HASH}\trefs/heads/main",
        "== status 0",
        "== status 124",
        "== changes",
        " M a",
        "M",
        "== file 3",
        "== built 1795568065",
        "== built",
        "== schema s",
        "== client c",
        " model A {}",
        "== noclient",
        "== lock",
        " lockfileVersion: '9.0'",
        " lockfileVersion: 5.4",
        " importers:",
        "   .:",
        " packages:",
        "   a@1:",
        "== installed",
        "== same",
        "== folders",
        "== linked",
        "== modules",
        "== tool pnpm",
        "== notool",
        "== json",
        ' {"metadata": {}}',
        " {}",
        "== process 1",
        " JWT_SECRET=x",
        "== listed",
        "== published .env.example",
        "== denied /e",
        "== norepo x",
        "== nofolder x",
    ]
)


@pytest.mark.parametrize("question", ALL, ids=lambda q: type(q).__name__)
@given(lines=st.lists(st.one_of(PIECES, st.text(max_size=8)), max_size=14), status=st.sampled_from([0, 1]))
def test_whatever_a_host_says_is_a_fact_or_a_probe_error(question, lines, status):
    text = "\n".join(lines)
    try:
        question.parse(Answer(text.encode("utf-8", "replace"), status, text))
    except ProbeError as error:
        assert str(error)


@pytest.mark.parametrize("question", ALL, ids=lambda q: type(q).__name__)
def test_no_answer_is_never_a_fact(question):
    assert isinstance(judge(question, Answer(b"", 1, "sh: x: Permission denied")), ProbeError)


def test_secrets_that_may_not_be_read_are_not_judged_by_those_that_may():
    output = [
        "== denied the environment of process 1",
        "== denied /etc/b.env",
        "== hidden unitfile",
        "== envfile /srv/.env",
    ]
    rest = ["== folder /c", "== listed", "== published .env.example", " JWT_SECRET=known", "== end"]
    url = " DATABASE_URL=postgresql://u:p@h/d"
    with pytest.raises(MissingPrivilege, match="JWT_SECRET may stand in the environment of process 1, /etc/b.env"):
        PUBLISHED.parse(answer(*output, url, *rest))
    assert not PUBLISHED.parse(answer(*output, url, " JWT_SECRET=own", *rest)).found
    # What is known to be published is told, whatever else there may be.
    assert PUBLISHED.parse(answer(*output, " JWT_SECRET=known", *rest)).found


# --- git -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("question", [DeployedCommit("/c"), WorkingTree("/c"), BranchHead("/c", "origin", "main")])
# Said by git 2.39; older ones than 2.38 do not take safe.directory from the command line.
def test_git_that_refuses_the_checkout_of_another_user(question):
    output = answer("== folder /c", "== norepo fatal: detected dubious ownership in repository at '/c'")
    with pytest.raises(MissingPrivilege, match=r"safe\.directory /c"):
        question.parse(output)


def test_remote_that_wants_a_password():
    output = answer(
        "== folder /c",
        f"== tracked {HASH}",
        "== heads",
        "== status 128",
        errors="fatal: could not read Username for 'https://u:p@git.example': terminal prompts disabled",
    )
    with pytest.raises(ProbeError, match=r"could not read Username for 'https://git\.example'") as caught:
        BranchHead("/c", "origin", "main").parse(output)
    assert f"it was {HASH[:12]} when last fetched; say with --revision" in str(caught.value)


def test_only_the_branch_itself_is_its_head():
    output = answer("== folder /c", "== tracked", "== heads", f"{HASH}\trefs/heads/release/main", "== status 0")
    with pytest.raises(ProbeError, match="the remote has no branch main"):
        BranchHead("/c", "origin", "main").parse(output)


def test_files_that_git_may_not_read_are_not_taken_for_unchanged():
    output = answer("== folder /c", "== changes", "== end", errors="warning: could not open 'a': Permission denied")
    with pytest.raises(MissingPrivilege, match="may not read all of it"):
        WorkingTree("/c").parse(output)


# --- pnpm ----------------------------------------------------------------------------------------------------------

FOLDERS = (RECORDED / "pnpm-9-folders.txt").read_text().splitlines()
LINKED = [
    "./node_modules/typescript/package.json",
    *(f"backend/node_modules/{name}/package.json" for name in ("ms", "chokidar", "prisma", "@prisma/client")),
    "frontend/node_modules/client-only/package.json",
]
MODULES = [
    " included:",
    "   devDependencies: true",
    " nodeLinker: isolated",
    " skipped:",
    "   - fsevents@2.3.3",
    " storeDir: /s",
]


def installed(copy="pnpm-9-lock.yaml", modules=(), folders=FOLDERS, linked=LINKED):
    return InstalledPackages("/c").parse(
        answer(
            "== folder /c",
            "== lock",
            *quoted("pnpm-9-lock.yaml"),
            "== installed",
            *quoted(copy),
            "== modules",
            *(modules or MODULES),
            "== folders",
            *folders,
            "== linked",
            *linked,
            "== end",
        )
    )


def test_installation_of_everything():
    result = installed()
    assert result.packages == 54
    assert (result.stale, result.lacking, result.different, result.absent) == ((), (), (), ())


def test_production_installation_keeps_a_shorter_lock_file():
    production = [line.replace("true", "false") for line in MODULES]
    linked = [name for name in LINKED if "typescript" not in name and "/prisma/" not in name]
    result = installed("pnpm-9-lock-production.yaml", production, linked=linked)
    assert result.production_only
    assert (result.stale, result.lacking, result.different, result.absent) == ((), (), (), ())


def test_installation_for_one_package_only():
    result = installed("pnpm-9-lock-frontend-only.yaml", linked=LINKED[-1:])
    assert "ms@2.1.2" in result.lacking
    assert "backend: ms" in result.absent


def test_folders_are_recognised_by_their_whole_name():
    result = installed(
        folders=[name for name in FOLDERS if not name.startswith(("ms@", "@prisma+client@"))] + ["ms@2.1.20"]
    )
    assert result.absent == ("@prisma/client@6.14.0", "ms@2.1.2")


def test_hoisted_installation_has_no_folders():
    assert (
        installed(modules=[line.replace("isolated", "hoisted") for line in MODULES], folders=["lock.yaml"]).absent == ()
    )


@pytest.mark.parametrize("version", ["lockfileVersion: 5.4", "x: 1"])
def test_lock_file_of_another_kind(version):
    output = answer(
        "== folder /c", "== lock", f" {version}", "== installed", f" {version}", "== folders", "== linked", "== end"
    )
    with pytest.raises(ProbeError, match="its lock file has version"):
        InstalledPackages("/c").parse(output)


# --- audit ---------------------------------------------------------------------------------------------------------


def audited(name, tool):
    return Audit("/c").parse(answer("== folder /c", f"== tool {tool}", "== json", *quoted(name), "", "== end"))


def test_audit_of_pnpm():
    none, bad = audited("pnpm-9-audit-none.json", "pnpm"), audited("pnpm-9-audit-critical.json", "pnpm")
    assert [none.of(severity) for severity in SEVERITIES] == [0] * 5
    assert (bad.of("critical"), bad.of("high"), bad.packages) == (1, 0, (("critical", "minimist"),))


def test_audit_of_npm():
    bad = audited("npm-11-audit-critical.json", "npm")
    assert (bad.of("critical"), bad.of("moderate")) == (1, 1)
    assert bad.packages == (("critical", "minimist"), ("moderate", "ms"))


@pytest.mark.parametrize(
    ("name", "tool", "why"),
    [
        ("pnpm-9-audit-refused.json", "pnpm", "responded with 405"),
        ("npm-11-audit-refused.json", "npm", "405 Method Not Allowed"),
    ],
)
def test_audit_that_could_not_run_is_no_audit(name, tool, why):
    with pytest.raises(ProbeError, match=why):
        audited(name, tool)


ENOLOCK = {"error": {"code": "ENOLOCK", "summary": "This command requires an existing lockfile.", "detail": ""}}


@pytest.mark.parametrize(
    ("report", "why"),
    [
        (ENOLOCK, "requires an existing lockfile"),
        ([], "gave no reason"),
        ({"metadata": {"vulnerabilities": {}}}, "how many are critical"),
        ({"metadata": {"vulnerabilities": dict.fromkeys(SEVERITIES, True)}}, "how many are critical"),
        ({"error": "x"}, "x"),
        ({"metadata": {"vulnerabilities": {**dict.fromkeys(SEVERITIES, 0), "high": "0"}}}, "how many are high"),
    ],
)
def test_counts_that_are_not_there_are_not_zero(report, why):
    with pytest.raises(ProbeError, match=why):
        read_report("the audit", "npm", report)


def test_what_is_named_counts_even_where_the_total_says_nothing():
    report = {
        "metadata": {"vulnerabilities": dict.fromkeys(SEVERITIES, 0)},
        "vulnerabilities": {"a": {"severity": "high"}},
    }
    assert read_report("the audit", "npm", report).of("high") == 1


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(["metadata", "vulnerabilities", "advisories", "severity", "error", *SEVERITIES]), inner
        ),
    ),
    max_leaves=12,
)


@given(report=json_values)
def test_any_json_is_a_report_or_a_probe_error(report):
    try:
        result = read_report("the audit", "npm", json.loads(json.dumps(report)))
    except ProbeError:
        return
    assert all(number >= 0 for _, number in result.counts)


def test_audit_without_its_tool_or_in_time():
    with pytest.raises(ProbeError, match="is of pnpm, which this account does not find"):
        Audit("/c").parse(answer("== folder /c", "== tool pnpm", "== notool"))
    with pytest.raises(ProbeError, match="pnpm had no answer in 60 s"):
        Audit("/c").parse(answer("== folder /c", "== tool pnpm", "== status 124", "== json", "", "== end"))
    with pytest.raises(ProbeError, match=r"pnpm could not run it \(it said nothing\)"):
        Audit("/c").parse(answer("== folder /c", "== tool pnpm", "== status 1", "== json", "", "== end"))


# --- published secrets ---------------------------------------------------------------------------------------------

COMPOSE = """\
x-backend: &backend
  JWT_SECRET: ${JWT_SECRET:-development-secret} # never in production
  DATABASE_URL: "postgresql://cats:${DB_PASSWORD:-p%40ss}@db:5432/cats"
services:
  api:
    environment:
      - 'API_SECRET=quoted'
      - REDIS_PASSWORD=${REDIS_PASSWORD}
      - NESTED_SECRET=${A:-${B_SECRET:-inner}}
# OLD_SECRET=commented
"""


def test_assignments_of_a_compose_file():
    assert set(assignments(COMPOSE)) == {
        ("JWT_SECRET", "development-secret", True),
        ("JWT_SECRET", "development-secret", False),
        ("DB_PASSWORD", "p%40ss", True),
        ("DATABASE_URL", "postgresql://cats:p%40ss@db:5432/cats", False),
        ("API_SECRET", "quoted", False),
        ("B_SECRET", "inner", True),
        ("A", "inner", True),
        ("NESTED_SECRET", "inner", False),
        ("OLD_SECRET", "commented", False),
    }


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("A='b c' # d", "b c"),
        ('export A="b#c"', "b#c"),
        ("A=b#c", "b#c"),
        ("A=b #c", "b"),
        ("A: b", "b"),
        ("A=", None),
        ("A=${B}", None),
        ("A = b", "b"),
        ("a sentence: with words", None),
    ],
)
def test_assignments_of_one_line(line, value):
    assert [result for name, result, _ in assignments(line) if name == "A"][:1] == ([] if value is None else [value])


@given(st.text())
def test_assignments_never_fail_nor_end_in_a_loop(text):
    assert all(name for name, _, _ in assignments(text))


def published(*environment: str):
    lines = [f" {line}" for line in COMPOSE.splitlines()]
    return PUBLISHED.parse(
        answer(*environment, "== folder /c", "== listed", "== published compose.yml", *lines, "== end")
    )


def test_secrets_in_force_that_are_published():
    url = " DATABASE_URL=postgresql://other:p%40ss@elsewhere/x"
    result = published("== process 7", " JWT_SECRET=development-secret", url, " SECRET_TTL=inner", " MY_SECRET=own")
    assert {(one.variable, one.published_as, one.fallback) for one in result.found} == {
        ("JWT_SECRET", "JWT_SECRET", False),
        ("DATABASE_URL", "DATABASE_URL", False),
    }
    assert result.secrets == ("DATABASE_URL", "JWT_SECRET", "MY_SECRET")
    assert "development-secret" not in repr(result)


def test_secret_that_is_not_set():
    (result,) = published("== process 7", " DATABASE_URL=postgresql://localhost/x").found
    assert (result.variable, result.file, result.fallback) == ("JWT_SECRET", "compose.yml", True)
    with pytest.raises(MissingPrivilege, match="JWT_SECRET may stand in"):
        published("== process 7", " DATABASE_URL=postgresql://localhost/x", "== denied /srv/mycats/backend/.env")


def test_backend_without_a_checkout():
    from dataclasses import replace

    with pytest.raises(ProbeError, match="under releases"):
        replace(PUBLISHED, checkout_path=None).parse(answer(""))
