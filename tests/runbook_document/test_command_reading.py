"""What of a document is typed into a shell, on which line, and what a command is made of."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsverify.errors import MissingPrivilege, ProbeError, Unreachable
from opsverify.probes.host.release.named_things import ABSENT, HERE, HIDDEN, Checkout, NamedThingsFacts
from opsverify.runbook_document.commands import hold, linted, read, together, without_secrets
from opsverify.runbook_document.lint import Remark
from opsverify.runbook_document.named import units
from opsverify.runbook_document.rules import RULES
from opsverify.runbook_document.system import NotKnown, System
from tests.runbook_document.conftest import ROOT, production

TODAY = (ROOT / "tests/checks/data/operations-runbook.ja.md").read_text(encoding="utf-8")


def typed(text: str) -> list[tuple[int, str]]:
    """(line, command with its arguments) of all commands."""
    return [(c.line, " ".join((c.name, *c.texts))) for script in read(text).scripts for c in script.commands]


@pytest.mark.parametrize(
    ("text", "commands"),
    [
        ("```bash\nls\n\ndf -h\n```", [(2, "ls"), (4, "df -h")]),
        ("```bash\r\nls\r\ndf -h\r\n```\r\n", [(2, "ls"), (3, "df -h")]),
        ("\ufeff# 手順\n\n1. 確認\n\n   ```sh\n   ls ログ\n   ```\n", [(6, "ls ログ")]),
        ("> ```bash\n> ls\n> ```\n", [(2, "ls")]),
        ("~~~ {.bash}\nls\n~~~", [(2, "ls")]),
        ('```bash title="deploy"\nls\n```', [(2, "ls")]),
        ("```console\n$ ls -l\ntotal 8\n$ echo a \\\n> b\na b\n```", [(2, "ls -l"), (4, "echo a b")]),
        ("```bash\n$ ls -l\nrm -rf output\n```", [(2, "ls -l")]),
        ("```\nroot@app1:~# systemctl stop nginx\nuser@app1:/srv$ ls\n```", [(2, "systemctl stop nginx"), (3, "ls")]),
        ("```console\n$ cat > f <<EOF\nrm -rf /\nEOF\n$ ls\n```", [(2, "cat"), (5, "ls")]),
        ("```\nls -l\n```", [(2, "ls -l")]),
        ("```\n200 OK, 5 rows\n```", []),
        ("```\nnpm WARN deprecated\n{}\n```", []),
        ("```text\nls -l\n```", []),
        ("```json\n{}\n```", []),
        ("```yaml\nrun: rm -rf x\n```", []),
        ("```nginx\nrm -rf x;\n```", []),
        ("`rm -rf x` in a line, and ``` here", []),
        ("```bash\n# rm -rf /\necho 'rm -rf /' # rm\n```", [(3, "echo rm -rf /")]),
        ("```bash\ncat <<'EOF' > f\nrm -rf /\nEOF\nls\n```", [(2, "cat"), (5, "ls")]),
        ("```bash\nsudo -u postgres pg_dump <name of it>\n```", [(2, "pg_dump \ufffcPLACEHOLDER")]),
        ("```bash\npsql <dump.sql >out.log\n```", [(2, "psql")]),
        ("```bash\nif a; then\n  b &&\n  c\nfi\n```", [(2, "a"), (3, "b"), (4, "c")]),
        ("```bash\nX=$(a \"$(b)\")\nd `e`\n```", [(2, "a $(b)"), (2, "b"), (3, "d $`e`"), (3, "e")]),
        ("```bash\ncase $1 in\n  a) ls ;;\n  *) exit 1 ;;\nesac\n```", [(3, "ls"), (4, "exit 1")]),
        ("```bash\nls ((\ndf -h\n```", [(3, "df -h")]),
        ("```bash\nrm -rf a \\\n  b\ndf\n```", [(2, "rm -rf a b"), (4, "df")]),
        ("```bash\necho $D/db_$DATE.sql\n```", [(2, "echo $D/db_${DATE}.sql")]),
        ("```bash\n0 3 * * * /srv/backup.sh > log 2>&1\n*/5 * * * 1-5 ls\n@daily df\n```",
         [(2, "backup.sh"), (3, "ls"), (4, "df")]),
        ("    ls -l\n", [(1, "ls -l")]),
        ("```bash\n", []),
        ("", []),
    ],
)  # fmt: skip
def test_what_is_typed(text, commands):
    assert typed(text) == commands


def test_a_line_that_no_shell_understands_is_named_and_costs_no_other():
    commands = read("```bash\nls\nrm (( x\ndf\n```\n\n```bash\nif broken; then\n  free -h\n```")
    assert commands.not_understood == [3]
    assert [c.name for script in commands.scripts for c in script.commands] == ["ls", "df", "broken", ":", "free"]
    assert commands.count == 4


def test_one_line_that_is_no_shell_hides_no_command_of_a_loop_or_a_condition():
    text = "for d in a; do rm -rf $D/x\ndone\nif ! curl h; then\n e\nfi\nwhile pg_dump m | gzip; do\n f\ndone\nthen g; fi\n(( x"
    commands = read(f"```bash\n{text}\n```")
    names = [c.name for script in commands.scripts for c in script.commands if c.name != ":"]
    assert names == ["rm", "curl", "e", "pg_dump", "gzip", "f", "g"]
    assert commands.not_understood == [11]


@pytest.mark.parametrize(
    "text",
    [
        "curl -u admin:S3cret http://h/health",
        "DB_PASS=S3cret pg_dump x",
        "mysqldump -pS3cret x",
        "curl -H 'X-Vault: S3cret' http://h",
        "ALTER USER x PASSWORD 'S3cret'",
        "psql --password S3cret",
        "sshpass -p S3cret ssh h",
        "PASSWORD=$'a S3cret' x",
        r"PASSWORD=a\ S3cret x",
    ],
)
def test_a_quote_holds_no_secret(text):
    assert "S3cret" not in without_secrets(text)


@pytest.mark.parametrize(
    "text", ["journalctl -u mycats -n 5", "sudo -u postgres psql -p 5432", "curl -fsS http://h:3004/health"]
)
def test_a_quote_holds_what_is_no_secret(text):
    assert without_secrets(text) == text


def test_what_a_pipeline_and_a_condition_are():
    (script,) = read("```bash\na | b | c || exit 1\nif d; then e; fi\nf && g\n! h\n```").scripts
    by_name = {command.name: command for command in script.commands}
    assert (by_name["b"].before, by_name["b"].after) == (("a",), ("c",))
    assert [name for name, command in by_name.items() if command.rescued] == ["a", "b", "c", "d"]
    assert [name for name, command in by_name.items() if command.tested] == ["a", "b", "c", "d", "f"]


def test_where_commands_run():
    (script,) = read('```bash\ncd a\nb\ncd ../c\nd\n(cd e; f)\ng\ncd "$X"\nh\n```').scripts
    assert {c.name: f for c, f in zip(script.commands, script.folders, strict=True) if c.name != "cd"} == {
        "b": "a", "d": "c", "f": "c/e", "g": "c", "h": None,
    }  # fmt: skip


@given(st.one_of(st.text(), st.lists(st.sampled_from([*TODAY.splitlines(keepends=True), "```bash\n", "```\n", "<<E", "((",
                                                      "'", '"', "$(", "\\\n", "$ ", "| ", "> "])).map("".join)))  # fmt: skip
def test_any_document_can_be_read(text):
    commands = read(text)
    last = text.replace("\r\n", "\n").replace("\r", "\n").count("\n") + 1
    for finding in hold(commands, production(commands)).findings:
        assert 1 <= finding.line <= last
    hold(commands, System())


def test_a_deep_nest_is_read_in_bounded_depth():
    text = "```bash\n" + "$(" * 5000 + "ls" + ")" * 5000 + "\n" + "(" * 3000 + "ls" + ")" * 3000 + "\n```"
    assert isinstance(read(text).count, int)


# --- what is not known -----------------------------------------------------------------------------------------------

LOST = Unreachable("no answer within 20 s")


def test_a_host_that_did_not_answer_is_no_proof_that_something_is_missing():
    commands = read("```bash\n./start.sh\nsystemctl restart nowhere\npnpm run nothing\nnpm audit\ntar -xzf x -C /\n```")
    held = hold(commands, System({}, {"app1": LOST}))
    assert [finding.rule for finding in held.findings] == ["archive-over-root"]
    assert held.unknown == (LOST,)


def test_one_host_that_has_it_is_enough():
    commands = read("```bash\nls /srv/there\nsystemctl restart here\n```")
    has = NamedThingsFacts({"/srv/there": HERE}, units={"here": HERE})
    held = hold(commands, System({"app2": has}, {"app1": LOST}))
    assert held.findings == held.unknown == ()


def test_a_folder_that_nobody_may_enter_is_no_proof():
    commands = read("```bash\nls /root/there\n```")
    held = hold(commands, System({"app1": NamedThingsFacts({"/root/there": HIDDEN})}))
    assert held.findings == ()
    (reason,) = held.unknown
    assert isinstance(reason, MissingPrivilege)
    assert "/root/there on app1" in str(reason)


def test_a_package_that_may_not_be_read_is_no_proof():
    commands = read("```bash\npnpm run x\n```")
    closed = NamedThingsFacts(checkouts=(Checkout("/srv/mycats", HERE, closed=("/srv/mycats/package.json",)),))
    held = hold(commands, System({"app1": closed}))
    assert held.findings == ()
    assert [type(reason) for reason in held.unknown] == [MissingPrivilege]


def test_a_database_that_did_not_answer_has_no_version():
    commands = read('```bash\npsql -c "SELECT mean_time FROM pg_stat_statements"\n```')
    assert hold(commands, System(postgres_unanswered=LOST)).unknown == (LOST,)
    assert hold(commands, System(postgres=12)).findings == ()
    assert len(hold(commands, System(postgres=13)).findings) == 1
    assert hold(read("```bash\nls\n```"), System(postgres_unanswered=LOST)).unknown == ()


def test_what_was_not_asked_is_not_known():
    with pytest.raises(NotKnown, match="changed while it was read"):
        System({"app1": NamedThingsFacts()}).exists("/srv/x")
    assert isinstance(NotKnown(ProbeError("x")).reason, ProbeError)


def test_a_system_of_which_nothing_is_known_is_missing_nothing():
    held = hold(read("```bash\n./x.sh\nls /y\nsystemctl start z\npnpm run w\n```"), System())
    assert held.findings == held.unknown == ()


def test_a_host_without_systemd_has_no_units():
    bare = System({"app1": NamedThingsFacts(systemd=False)})
    (finding,) = hold(read("```bash\nsystemctl restart mycats\n```"), bare).findings
    assert finding.why == "no host has a unit mycats: none of them runs systemd"
    mixed = NamedThingsFacts(units={"mycats": ABSENT})
    (finding,) = hold(read("```bash\nsystemctl restart mycats\n```"), System({"a": mixed})).findings
    assert finding.why == "no host has a unit mycats"


# --- what is told ----------------------------------------------------------------------------------------------------


def test_passwords_of_a_document_are_told_to_nobody():
    text = (
        "```bash\nPGPASSWORD=hunter22 psql mycats < backup/db_20250809.sql\n"
        "curl http://ops:s3cr3t@localhost:3004/health\ncurl 'http://localhost/health' # TOKEN: abc123\n```"
    )
    told = " ".join(map(str, hold(read(text), System()).findings))
    assert "line 2" in told
    assert "line 3" in told
    assert not any(secret in told for secret in ("hunter22", "s3cr3t", "abc123"))
    assert without_secrets("export JWT_SECRET='x y'") == "export JWT_SECRET='*** y'"


def test_one_mistake_is_told_once_with_all_its_lines():
    findings = hold(read("```bash\nnpm audit\nls\nnpm audit\n```"), production(read(""))).findings
    assert len(findings) == 2
    assert [observed for observed, _ in together(findings)] == [
        "lines 2, 4, `npm audit`: the checkout has pnpm-lock.yaml and no lock file of npm: npm audit always ends with "
        "ENOLOCK (other-package-manager)"
    ]
    many = read("```bash\n" + "".join(f"./{name}.sh\n" for name in "abcdef") + "npm audit\n```")
    assert together(hold(many, production(many)).findings) == [
        (
            "7 mistakes: script-missing on lines 2, 3, 4, 5, 6, 7; other-package-manager on line 8",
            "none; the HTML report says of each why, and what to write instead",
        )
    ]
    (remark,) = linted([Remark(7, "x", 2045, "Iterating")])
    assert (remark.rule, remark.line) == ("SC2045", 7)


def test_a_rule_says_what_it_asks_of_the_system():
    for rule in RULES.values():
        asks = any(word in rule.match.__code__.co_names for word in ("exists", "has_any", "has_unit", "package_script"))
        assert rule.needs or not asks, rule.id
        assert rule.kind
        assert rule.about.endswith("."), rule.id


def test_a_host_that_is_silent_or_a_checkout_that_is_hidden_makes_nothing_green():
    commands = read("```bash\nbash ./scripts/missing.sh\nnpm ci\n```")
    silent = System(hosts={"db": NamedThingsFacts()}, unanswered={"app1": ProbeError("app1 did not answer")})
    assert hold(commands, silent).unknown
    hidden = System(hosts={"app1": NamedThingsFacts(checkouts=(Checkout("/srv/mycats", HIDDEN),))})
    assert hold(read("```bash\nnpm ci\n```"), hidden).unknown


@pytest.mark.parametrize("before", ["for f in a b; do echo $f; done", "echo sign in, or do without"])
def test_a_loop_over_something_else_guards_no_variable(before):
    found = hold(read(f"```bash\n{before}\nrm -rf $BACKUP_DIR/*\n```"), System()).findings
    assert [(one.rule, one.line) for one in found] == [("delete-below-empty-variable", 3)]


@pytest.mark.parametrize("command", ["journalctl -xeu absent", "journalctl -u a -u absent", "journalctl -uabsent"])
def test_units_of_every_form_of_journalctl(command):
    (script,) = read(f"```bash\n{command}\n```").scripts
    assert units(script.commands[0])[-1] == "absent"


def test_a_process_is_no_unit():
    (script,) = read("```bash\nsystemctl status 1234\n```").scripts
    assert units(script.commands[0]) == []
