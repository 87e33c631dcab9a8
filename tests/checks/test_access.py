"""access-rights and password-policy turn red where somebody has more than was meant, and say who."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsverify.errors import MissingPrivilege, ProbeError
from opsverify.probes.host.question import Answer
from opsverify.probes.host.system.accounts import Accounts
from opsverify.probes.host.system.password_policy import PasswordPolicy
from opsverify.probes.host.system.secret_files import SecretFiles
from rehearsal.faults.volumes import without_mounts

RIGHTS = "test_database_rights[primary]"
PASSWORDS = "test_database_passwords[primary]"


def test_secret_file_that_everyone_may_read(whole, verify):
    file = whole.layout.env_file
    file.chmod(0o644)
    try:
        seen = verify("-k", "test_secret_files")["test_secret_files[backend-blue]"]
    finally:
        file.chmod(0o600)
    assert seen.verdict == "alert"
    assert f"{file}, mode 644 " in seen.sentence
    assert "expected mode 640 or stricter" in seen.sentence


def test_secret_file_that_is_gone(whole, verify):
    file = whole.layout.env_file
    moved = file.rename(file.with_name("elsewhere"))
    try:
        seen = verify("-k", "test_secret_files")["test_secret_files[backend-blue]"]
    finally:
        moved.rename(file)
    assert seen.verdict == "alert"
    assert f"observed no {file}" in seen.sentence


def test_database_roles_and_rules_that_nobody_accounts_for(whole, verify):
    hba = whole.postgres.data / "pg_hba.conf"
    before = hba.read_text()
    with whole.postgres.connect() as admin:
        admin.execute("CREATE ROLE intruder SUPERUSER")
        admin.execute("CREATE ROLE helper LOGIN IN ROLE intruder")
        admin.execute("CREATE ROLE reader IN ROLE pg_execute_server_program")
        admin.execute("CREATE ROLE maker CREATEROLE")
        hba.write_text(before + "host all all 10.0.0.0/8 trust\n")
        try:
            seen = verify("-k", "test_database_rights")[RIGHTS]
        finally:
            hba.write_text(before)
            admin.execute("DROP ROLE intruder, helper, reader, maker")
    assert seen.verdict == "alert"
    assert "superuser: intruder, helper through intruder, reader through pg_execute_server_program" in seen.sentence
    assert "create role: maker" in seen.sentence
    assert "pg_hba.conf line 3: host all all 10.0.0.0 255.0.0.0 trust" in seen.sentence


def test_rules_that_may_not_be_seen_are_not_taken_for_good(whole, verify):
    with whole.postgres.connect() as admin:
        admin.execute("REVOKE EXECUTE ON FUNCTION pg_hba_file_rules() FROM mycats_monitor")
        try:
            seen = verify("-k", "test_database_rights")[RIGHTS]
        finally:
            admin.execute("GRANT EXECUTE ON FUNCTION pg_hba_file_rules() TO mycats_monitor")
    assert seen.verdict == "undetermined"
    assert "GRANT EXECUTE ON FUNCTION pg_hba_file_rules() TO mycats_monitor" in seen.sentence


def test_rules_that_do_not_load(whole, verify):
    hba = whole.postgres.data / "pg_hba.conf"
    before = hba.read_text()
    hba.write_text(before + "host all all nonsense\n")
    try:
        seen = verify("-k", "test_database_rights")[RIGHTS]
    finally:
        hba.write_text(before)
    assert seen.verdict == "undetermined"
    assert "pg_hba.conf does not load (line 3)" in seen.sentence


def test_weak_password_hashes(whole, verify):
    with whole.postgres.connect() as admin:
        admin.execute("SET password_encryption = 'md5'")
        admin.execute("CREATE ROLE old LOGIN PASSWORD 'pl4nted-S3cret'")
        admin.execute("CREATE ROLE hollow LOGIN")
        # PostgreSQL refuses an empty password by now; one of an older server may have been kept by an upgrade.
        admin.execute("SET allow_system_table_mods = on")
        admin.execute("UPDATE pg_authid SET rolpassword = 'md5' || md5('hollow') WHERE rolname = 'hollow'")
        try:
            ran = verify("-k", "test_database_passwords")
        finally:
            admin.execute("DROP ROLE old, hollow")
    seen = ran[PASSWORDS]
    assert seen.verdict == "alert"
    assert "weak passwords of hollow (empty), old (md5)" in seen.sentence
    assert "pl4nted" not in ran.output


def test_password_encryption(whole, verify):
    with whole.postgres.connect() as admin:
        admin.execute("ALTER DATABASE mycats SET password_encryption = 'md5'")
        try:
            seen = verify("-k", "test_database_passwords")[PASSWORDS]
        finally:
            admin.execute("ALTER DATABASE mycats RESET password_encryption")
    assert seen.verdict == "alert"
    assert "observed password_encryption md5, expected scram-sha-256" in seen.sentence


def test_hashes_that_may_not_be_seen(whole, verify):
    with whole.postgres.connect() as admin:
        admin.execute("REVOKE SELECT ON opsverify.password_kinds FROM mycats_monitor")
        try:
            seen = verify("-k", "test_database_passwords")[PASSWORDS]
        finally:
            admin.execute("GRANT SELECT ON opsverify.password_kinds TO mycats_monitor")
    assert seen.verdict == "undetermined"
    assert "monitoring-role.sql" in seen.sentence


def test_a_view_that_anyone_could_have_made_is_not_believed(whole, verify):
    with whole.postgres.connect() as admin:
        admin.execute("ALTER VIEW opsverify.password_kinds OWNER TO mycats")
        try:
            seen = verify("-k", "test_database_passwords")[PASSWORDS]
        finally:
            admin.execute("ALTER VIEW opsverify.password_kinds OWNER TO postgres")
    assert seen.verdict == "undetermined"


# --- hosts: what they say, as recorded on Debian 12 or written after the manuals -------------------------------------

PASSWD = """\
== passwd
 root:0:0:/root:/bin/bash
 daemon:1:1:/usr/sbin:/usr/sbin/nologin
 postgres:101:104:/var/lib/postgresql:/bin/bash
 deploy:1000:1000:/home/deploy:/bin/sh
 toor:0:0:/root:/bin/sh
== group
 root:0:
 sudo:27:deploy
 deploy:1000:
"""
SHADOW = "== shadow 20000\n root:set:\n daemon:locked:\n postgres:locked:\n deploy:locked:\n toor:set:100\n"
KEYS = "== keys\n root:no\n postgres:no\n deploy:yes\n toor:no\n"
SUDOERS = """\
== sudoers /etc/sudoers
 # 1 comment, and a rule that is commented out:
 #deploy ALL=(ALL) ALL
 Defaults\tenv_reset
 User_Alias ADMINS = ann, \\
   bob
 root\tALL=(ALL:ALL) ALL
 %sudo\tALL=(ALL:ALL) ALL
 %domain-admins ALL=(ALL) ALL
 ADMINS, #1000 web1, web2 = NOPASSWD: /usr/bin/systemctl
 @includedir /etc/sudoers.d
== end
"""


def accounts(text: str):
    return Accounts().parse(Answer(text.encode()))


def test_accounts_with_everything_visible():
    seen = accounts(PASSWD + SHADOW + KEYS + SUDOERS)
    assert {a.name: a.can_log_in for a in seen.accounts} == {
        "root": True, "postgres": False, "deploy": True, "toor": False,
    }  # fmt: skip
    assert set(seen.sudoers) == {
        ("root", "user id 0"), ("toor", "user id 0"), ("root", "/etc/sudoers"), ("deploy", "%sudo"),
        ("%domain-admins", "%domain-admins"), ("ann", "/etc/sudoers"), ("bob", "/etc/sudoers"), ("deploy", "/etc/sudoers"),
    }  # fmt: skip
    assert seen.sudo_hidden is None


def test_accounts_with_nothing_visible():
    seen = accounts(PASSWD + "== keys\n root:unknown\n deploy:unknown\n== denied /etc/sudoers\n== end\n")
    assert {a.name: a.can_log_in for a in seen.accounts} == dict.fromkeys(("root", "postgres", "deploy", "toor"))
    assert ("deploy", "%sudo") in seen.sudoers
    assert "/etc/sudoers" in seen.sudo_hidden


@pytest.mark.parametrize("text", ["", PASSWD, PASSWD + KEYS, "== passwd\n== group\n== keys\n== end\n"])
def test_accounts_that_were_not_listed_whole(text):
    with pytest.raises(ProbeError):
        accounts(text)


def test_accounts_of_this_machine(project):
    project.environment(
        "own",
        "hosts: {here: {connection: 'local://'}}\n"
        "checks: {access-rights: {settings: {login_accounts: [], sudo_accounts: []}}}\n",
    )
    ran = project.run("--env", "own", "-k", "test_accounts", "--history=none")
    message = ran.properties("test_accounts[here]")
    assert message["verdict"] == "alert", ran.output
    assert "root (user id 0) can become root, expected only nobody" in message["sentence"]


def policy(*parts: str):
    return PasswordPolicy().parse(Answer("".join([*parts, "== end\n"]).encode()))


DEFS = "== defs /etc/login.defs\nPASS_MAX_DAYS\t99999\n"
UNIX = "== pam /etc/pam.d/common-password\npassword\t[success=1 default=ignore]\tpam_unix.so obscure use_authtok yescrypt\n"
QUALITY = "== pam /etc/pam.d/common-password\npassword requisite pam_pwquality.so retry=3\n"
MINLEN = "== quality /etc/security/pwquality.conf\nminlen = 14\n"


@pytest.mark.parametrize(
    ("parts", "age", "length", "by"),
    [
        ((DEFS, UNIX), 99999, 6, "pam_unix"),  # Debian 12 as installed
        ((DEFS, MINLEN, UNIX), 99999, 6, "without pam_pwquality"),  # a policy that nothing enforces
        ((DEFS, MINLEN, QUALITY, UNIX), 99999, 14, "pwquality.conf"),
        ((MINLEN, "== quality /etc/security/pwquality.conf.d/x.conf\nminlen=9\n", QUALITY), None, 9, "x.conf"),
        ((MINLEN.replace("14", "14  # ours"), QUALITY), None, 14, "pwquality.conf"),
        ((MINLEN.replace("minlen = ", " MinLen "), QUALITY), None, 14, "pwquality.conf"),
        ((QUALITY,), None, 8, "default"),
        ((MINLEN, QUALITY.replace("retry=3", "minlen=16")), None, 16, "common-password"),
        ((), None, None, "no PAM"),
    ],
)
def test_password_policy(parts, age, length, by):
    seen = policy(*parts)
    assert (seen.max_age_days, seen.min_length) == (age, length)
    assert by in seen.enforced_by


def test_password_policy_that_may_not_be_read_or_understood():
    with pytest.raises(MissingPrivilege, match=r"pwquality\.conf"):
        policy("== denied /etc/security/pwquality.conf\n")
    with pytest.raises(ProbeError, match="'long'"):
        policy(MINLEN.replace("14", "long"), QUALITY)


def test_password_policy_of_this_machine(project):
    project.environment(
        "own",
        "hosts: {here: {connection: 'local://'}}\n"
        "checks: {password-policy: {settings: {max_age_days: 1, min_length: 1000}}}\n",
    )
    message = project.run("--env", "own", "-k", "test_password_policy", "--history=none").properties(
        "test_password_policy[here]"
    )
    assert message["verdict"] == "alert"
    assert "expected at least 1000 characters" in message["sentence"]


PIECES = st.sampled_from([PASSWD, SHADOW, KEYS, SUDOERS, DEFS, UNIX, QUALITY, MINLEN, "== end\n", "== denied /x\n",
                          "== file /a\n", "640 root 0 root\n", "== lost /a\n", "stat: No such file\n", "-1 x y\n"])  # fmt: skip


def run_as_root_with(folders: dict[str, Path], script: str) -> str:
    """What a script says where other folders lie in the place of the host's."""
    if without_mounts():
        pytest.skip(without_mounts())
    binds = "".join(f"mount --bind {folder} {place} && " for place, folder in folders.items())
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", f'{binds}exec sh -c "$0"', script], capture_output=True, check=True
    )
    return done.stdout.decode()


def test_the_main_file_of_pwquality_has_the_last_word(tmp_path):
    """pwquality.conf(5): it "also first reads" the files of pwquality.conf.d."""
    security, pam = tmp_path / "security", tmp_path / "pam.d"
    (security / "pwquality.conf.d").mkdir(parents=True)
    pam.mkdir()
    (security / "pwquality.conf.d" / "50.conf").write_text("minlen=14\n")
    (security / "pwquality.conf").write_text("minlen = 8\n")
    (pam / "common-password").write_text("password requisite pam_pwquality.so retry=3\n")
    output = run_as_root_with({"/etc/security": security, "/etc/pam.d": pam}, PasswordPolicy().script())
    assert (policy(output).min_length, policy(output).enforced_by) == (8, "/etc/security/pwquality.conf")


def kept(folder: Path, question: SecretFiles, environment: str, files: str = "", state: str = "loaded"):
    """What is known of a unit of which systemd says this, and all that its host said."""
    output = {"files": f"{files}\n", "variables": f"LoadState={state}\nEnvironment={environment}\n"}
    for name, text in output.items():
        (folder / name).write_text(text)
    systemctl = folder / "systemctl"
    systemctl.write_text(
        f'#!/bin/sh\ncase "$*" in *EnvironmentFiles*) cat {folder}/files;; *) cat {folder}/variables;; esac\n'
    )
    systemctl.chmod(0o755)
    env = {"PATH": f"{folder}:{os.environ['PATH']}", "LC_ALL": "C"}
    done = subprocess.run(["sh", "-c", question.script()], env=env, capture_output=True, check=True)
    assert done.stderr == b""
    return question.parse(Answer(done.stdout)), done.stdout.decode()


def test_secrets_in_the_unit_itself(tmp_path):
    optional, own = tmp_path / "default", tmp_path / "mycats.env"
    own.touch(0o600)
    files = f"EnvironmentFiles={optional} (ignore_errors=yes)\nEnvironmentFiles={own} (ignore_errors=no)"
    variables = 'NODE_ENV=production JWT_SECRET=s3cret-value "DATABASE_URL=postgresql://a:s3cret@b c" TOKEN_FILE=/run/t'
    seen, output = kept(tmp_path, SecretFiles((), "mycats-backend"), variables, files)
    assert "s3cret" not in output
    assert [file.path for file in seen.files] == [str(own)]  # the other need not be there
    assert seen.in_unit == ("JWT_SECRET", "DATABASE_URL")


@pytest.mark.parametrize(
    ("variable", "secret"),
    [
        ("db_password=x", True),
        ("SECRET_KEY_BASE=x", True),
        ("JWT_SECRET_OLD=x", True),
        ("REDIS=redis://:x@cache:6379", True),
        ("DATABASE_URL=postgresql:///mycats?user=a&password=x", True),
        ('"SMTP_PASS=x \\" y"', True),
        ("$'SIGNING_KEY=x\\ny'", True),
        ("API_URL=http://api:3004/a@b", False),
        ("DATABASE_URL=postgresql:///mycats?host=/run/postgresql", False),  # the account itself is the proof
        ("GOOGLE_APPLICATION_CREDENTIALS=/etc/mycats/google.json", False),  # whose mode is another matter
        ("SIGNING_KEY=/x+y/z==", True),
        ("STRIPE_PUBLISHABLE_KEY=x", False),
        ("PUBLISHER_SECRET=x", True),
        ("JWT_SECRET=", False),
        ("JWT_TOKEN_EXPIRES_IN=15m", False),
        ('"MOTTO=no PASSWORD=here"', False),
    ],
)
def test_variables_of_a_unit_that_are_secrets(tmp_path, variable, secret):
    seen, _ = kept(tmp_path, SecretFiles((), "mycats-backend"), f"{variable} PORT=3004")
    name = variable.lstrip("\"$'").partition("=")[0]
    assert seen.in_unit == ((name,) if secret else ())


def test_environment_files_that_a_pattern_names(tmp_path):
    folder = tmp_path / "my env.d"
    folder.mkdir()
    for name in ("a.env", "b.env"):
        (folder / name).touch(0o600)
    files = f"EnvironmentFiles={folder}/*.env (ignore_errors=no)\nEnvironmentFiles={folder}/*.none (ignore_errors=no)"
    seen, _ = kept(tmp_path, SecretFiles((), "mycats-backend"), "", files)
    result = {file.path: file.exists for file in seen.files}
    assert result == {f"{folder}/a.env": True, f"{folder}/b.env": True, f"{folder}/*.none": False}
    seen, _ = kept(tmp_path, SecretFiles((), "mycats-frontend", unit_files=False), "", files)
    assert seen.files == ()


def test_a_unit_that_systemd_does_not_know_is_none_without_secrets(tmp_path):
    assert kept(tmp_path, SecretFiles((), "typo"), "", state="not-found")[0].in_unit is None
    assert SecretFiles(("/a",), "typo").parse(Answer(b"== lost /a\nNo such file\n== end\n")).in_unit is None


SERVED = """hosts: {here: {connection: 'local://'}}
services:
  backend: {host: here, role: backend, unit: mycats-backend}
  server: {host: here, role: database, unit: postgresql}
  gone: {host: here, unit: typo}
"""


def test_every_unit_is_asked_for_its_secrets(project, tmp_path):
    systemctl = tmp_path / "systemctl"
    systemctl.write_text(
        """#!/bin/sh
case "$*" in *EnvironmentFiles*) exit;; *typo*) echo LoadState=not-found; exit;; *) echo LoadState=loaded;; esac
case "$*" in *mycats*) echo Environment=JWT_SECRET=s3cret-value;; *) echo Environment=;; esac
"""
    )
    systemctl.chmod(0o755)
    project.environment("own", SERVED)
    path = f"{tmp_path}:{os.environ['PATH']}"
    ran = project.run("--env", "own", "-k", "test_secret_files", "--history=none", PATH=path)
    assert ran.verdicts() == {
        "test_secret_files[backend]": "alert",
        "test_secret_files[server]": "normal",
        "test_secret_files[gone]": "undetermined",
    }, ran.output
    message = "JWT_SECRET in the unit's Environment=, which everybody may read, expected secrets in a file"
    assert message in ran.properties("test_secret_files[backend]")["sentence"]
    unknown = ran.properties("test_secret_files[gone]")["sentence"]
    assert "whether typo sets secrets could not be determined: systemd shows no such unit" in unknown
    assert "s3cret-value" not in ran.everything()


@pytest.mark.parametrize("question", [Accounts(), PasswordPolicy(), SecretFiles(("/a",))], ids=lambda q: q.title)
@given(parts=st.lists(st.one_of(PIECES, st.text(max_size=9)), max_size=8))
def test_whatever_a_host_says_is_a_fact_or_a_probe_error(question, parts):
    try:
        question.parse(Answer("".join(parts).encode("utf-8", "replace")))
    except ProbeError as error:
        assert str(error)


def test_the_plugin_excuses_one_kind_of_a_check(project, tmp_path):
    project.environment("own", "hosts: {here: {connection: 'local://'}}\n", excused=False)
    path = tmp_path / "environments" / "own.yaml"
    kinds = "apis frontends proxies databases services releases logs folders jobs alerts certificates backups documents"
    excuses = "".join(f"  {kind}: not part of this test\n" for kind in kinds.split())
    path.write_text(path.read_text() + f"not_applicable:\n{excuses}  access-rights:hosts: nobody minds here\n")
    ran = project.run("--env", "own", "-k", "test_accounts or memory", "--history=none")
    assert ran.verdicts()["test_accounts[not-applicable]"] == "not applicable"
    path.write_text(path.read_text().replace("access-rights:hosts", "access-rights:house"))
    ran = project.run("--env", "own", "-k", "memory", "--history=none")
    assert ran.code == 4
    assert "not_applicable.access-rights:house: found an unknown kind of target" in ran.output
