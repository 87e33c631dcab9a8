"""Inventories are read as Ansible reads them, and what cannot be done as they say is a mistake with file and line."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsverify.config.inventory.model import Inventory
from opsverify.config.inventory.reading import read_inventory
from opsverify.config.inventory.variables import Unclear, connection

INI = """
mail ansible_host=10.0.0.9   # in no group
[web] # the front
web[01:03].internal:2222 ansible_user='deploy' note="# no comment"
[db]
db1 ansible_port=5022
db2
[prod:children]
web
db
[db:vars]
ansible_port = 6022
ansible_user = "dba"
[prod:vars]
ansible_user=prod
ansible_port=7022
[all:vars]
ansible_user=everybody
"""
YAML = """
all:
  vars: {ansible_user: everybody}
  hosts:
    mail: {ansible_host: 10.0.0.9}
  children:
    prod:
      vars: {ansible_user: prod, ansible_port: 7022}
      children:
        web:
          hosts:
            web[01:03].internal:2222: {ansible_user: deploy, secret: !vault "$ANSIBLE_VAULT;1.1;AES256"}
        db:
          vars: &db {ansible_port: 6022, ansible_user: dba}
          hosts:
            db1: {<<: *db, ansible_port: 5022}
            db2:
"""
REACHED = {
    "mail": "ssh://everybody@10.0.0.9",
    "web01.internal": "ssh://deploy@web01.internal:2222",
    "web02.internal": "ssh://deploy@web02.internal:2222",
    "web03.internal": "ssh://deploy@web03.internal:2222",
    "db1": "ssh://dba@db1:5022",
    "db2": "ssh://dba@db2:6022",
}


def read(tmp_path: Path, text: str, name: str = "production.ini", **beside: str) -> Inventory:
    """An inventory in a file, with files beside it: `group_vars__web__yml`."""
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    for where, content in beside.items():
        folder, what, *ending = where.split("__")
        file = tmp_path / folder / ".".join((what, *ending))
        file.parent.mkdir(exist_ok=True)
        file.write_text(content, encoding="utf-8")
    return read_inventory(path)


def told(tmp_path: Path, inventory: Inventory) -> list[str]:
    return [text.removeprefix(f"{tmp_path}/") for text in inventory.mistakes]


def reached(inventory: Inventory, host: str, template: str | None = None) -> str:
    assert inventory.mistakes == []
    return connection(host, inventory.variables(host), template, own_ssh_config=False)


@pytest.mark.parametrize(("name", "text"), [("a.ini", INI), ("hosts", INI), ("a.yml", YAML), ("a.yaml", YAML)])
def test_both_forms_say_the_same(tmp_path: Path, name: str, text: str) -> None:
    inventory = read(tmp_path, text, name)
    assert {host: reached(inventory, host) for host in inventory.hosts} == REACHED
    assert sorted(inventory.members("prod")) == sorted(set(REACHED) - {"mail"})
    assert inventory.members("ungrouped") == ["mail"]
    assert set(inventory.members("all")) == set(REACHED)


def test_who_is_in_no_group(tmp_path: Path) -> None:
    text = "all: {hosts: {a: , b: }}\nweb: {hosts: {b: }}\nungrouped: {vars: {ansible_user: u}}\n"
    inventory = read(tmp_path, text, "a.yml")
    assert {host: reached(inventory, host) for host in inventory.hosts} == {"a": "ssh://u@a", "b": "ssh://b"}
    assert inventory.members("ungrouped") == ["a"]


def test_a_plain_list_of_names_is_an_inventory(tmp_path: Path) -> None:
    inventory = read(tmp_path, "# ours\nweb1.internal\nweb2.internal # new\n\nweb[3:4].internal\n", "names.txt")
    assert [reached(inventory, host) for host in inventory.hosts] == [f"ssh://web{n}.internal" for n in (1, 2, 3, 4)]


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ("", "ssh://h"),
        ("ansible_ssh_host=h.x ansible_ssh_user=u ansible_ssh_port=22", "ssh://u@h.x:22"),
        ("ansible_host=fe80::1 ansible_port=22", "ssh://[fe80::1]:22"),
        ("ansible_user=deploy@corp", "ssh://deploy%40corp@h"),
        ("ansible_ssh_private_key_file=~/.ssh/id", "ssh://h?ssh_identity_file=~/.ssh/id"),
        ("ansible_connection=local ansible_password=unused", "local://"),
        ("ansible_connection=smart", "ssh://h"),
        ("ansible_connection=ansible.builtin.ssh ansible_ssh_common_args=''", "ssh://h"),
        ("ansible_become=yes ansible_become_password=x ansible_python_interpreter=/usr/bin/python3", "ssh://h"),
    ],
)
def test_how_a_host_is_reached(tmp_path: Path, variables: str, expected: str) -> None:
    assert reached(read(tmp_path, f"h {variables}"), "h") == expected


@pytest.mark.parametrize(
    ("variables", "key", "what"),
    [
        ("ansible_password=s3cret-s3cret", "ansible_password", "found a value, allowed none: log in with a key"),
        ("ansible_ssh_pass=s3cret-s3cret", "ansible_ssh_pass", "found a value, allowed none: log in with a key"),
        (
            "ansible_ssh_common_args='-J s3cret-s3cret'",
            "ansible_ssh_common_args",
            "allowed none: say it in an ssh_config",
        ),
        ("ansible_connection=winrm", "ansible_connection", "found 'winrm', allowed ssh or local"),
        (
            "ansible_port=s3cret-s3cret",
            "ansible_port",
            "found a value that does not fit, allowed a port from 1 to 65535",
        ),
        ("ansible_port=70000", "ansible_port", "found a value that does not fit, allowed a port from 1 to 65535"),
        ("ansible_host='-oProxyCommand=x'", "ansible_host", "found a value that does not fit, allowed a host's name"),
        ("ansible_host='{{ s3cret-s3cret }}'", "ansible_host", "found a template, which only Ansible can fill in"),
        (
            "ansible_user='$ANSIBLE_VAULT;s3cret-s3cret'",
            "ansible_user",
            "found a value that ansible-vault has encrypted",
        ),
        ("ansible_user=True", "ansible_user", "found neither text nor a number"),
        ("ansible_private_key_file=keys/id", "ansible_private_key_file", "allowed a path that begins with / or ~"),
        ("ansible_host=a ansible_ssh_host=b", "", "found ansible_host and ansible_ssh_host that differ"),
    ],
)
def test_what_cannot_be_done_as_it_is_said(tmp_path: Path, variables: str, key: str, what: str) -> None:
    inventory = read(tmp_path, f"[g]\nh {variables}\n")
    with pytest.raises(Unclear) as caught:
        reached(inventory, "h")
    (text,) = caught.value.mistakes
    assert text.startswith(f"{tmp_path}/production.ini, line 2: {key}")
    assert what in text
    assert "s3cret" not in text + repr(inventory.variables("h"))


def test_a_connection_of_the_group_s_own_needs_only_what_it_names(tmp_path: Path) -> None:
    inventory = read(tmp_path, "h ansible_host=10.0.0.1 ansible_port=22 ansible_user=root ansible_password=x\n")
    assert reached(inventory, "h", "ssh://monitor@{host}?sudo=true") == "ssh://monitor@10.0.0.1:22?sudo=true"
    assert reached(inventory, "h", "docker://{name}") == "docker://h"


def test_an_ssh_config_settles_arguments_of_ssh_but_no_password(tmp_path: Path) -> None:
    inventory = read(tmp_path, "h ansible_ssh_common_args='-J x'\ni ansible_password=x\n")
    assert connection("h", inventory.variables("h"), None, own_ssh_config=True) == "ssh://h"
    with pytest.raises(Unclear):
        connection("i", inventory.variables("i"), None, own_ssh_config=True)


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ("web\n[a b]\n", 2, "found a section that is none"),
        ("[a:hosts]\n[b:kids]\n", 2, "found a section of 'kids', allowed :children and :vars"),
        ("[a:children]\nweb\n", 2, "found a group 'web' that is nowhere"),
        ("[weeb:vars]\nx=1\n", 1, "found variables of 'weeb', which is no group"),
        ("web s3cret-s3cret\n", 1, "found a word without =, allowed key=value"),
        ("ansible_password = s3cret-s3cret\n", 1, "found a word without ="),
        ("web ansible_password='s3cret-s3cret\n", 1, "found a quote that does not end"),
        ("[web:children]\na s3cret-s3cret\n", 2, "found no name of a group"),
        ("web1\nweb[1:3]\n", 2, "found 'web1' again, allowed once in a group: see line 1"),
        ("web[1:3]\n\nweb[2:3]\n", 3, "found 'web2' (and 1 more) again"),
        ("web[3:1]\n", 1, "found 'web[3:1]', allowed a range such as"),
        ("web[1:100001]\n", 1, "allowed a range of 100,000 hosts at most"),
        ("a[1:99999]\nb[1:99]\n", 2, "found more than 100,000 hosts by here"),
        ("h\n[all:vars]\nansible_group_priority=s3cret\n", 3, "found no number, allowed a whole number"),
    ],
)
def test_mistakes_in_an_ini_file(tmp_path: Path, text: str, line: int, what: str) -> None:
    lines = told(tmp_path, read(tmp_path, text))
    assert any(one.startswith(f"production.ini, line {line}: ") and what in one for one in lines), lines
    assert "s3cret" not in str(lines)


@pytest.mark.parametrize(
    ("text", "where", "what"),
    [
        ("plugin: amazon.aws.aws_ec2\n", ", line 1", "found the configuration of a plugin"),
        ("web:\n  host: {a: }\n", ", line 2", "found 'host', allowed hosts, children, vars (did you mean hosts?)"),
        ("web:\n  hosts: [a, b]\n", ", line 2", "found no mapping, allowed one of hosts"),
        ("- web\n", ", line 1", "found no mapping, allowed one of groups"),
        ("web:\n  hosts:\n    8080:\n", ", line 3", "found a name that is no text"),
        ("web: {hosts: {a: }}\nweb: {}\n", ", line 2", "duplicate key"),
        ("web: {hosts: {a: {ansible_password: 's3cret\n", ", line ", "found "),
        ("web: {hosts: {a: {ansible_password: *s3cret }}}\n", ", line 1", "found undefined alias"),
        ("web: &w {children: {web: *w}}\n", "", "found an alias that holds itself"),
        ("ungrouped: {children: {web: {hosts: {a: }}}}\n", ", line 1", "found a group in ungrouped"),
        ("a: {children: {b: {children: {a: }}}}\n", "", "found a group within itself (a > b > a)"),
    ],
)
def test_mistakes_in_a_yaml_file(tmp_path: Path, text: str, where: str, what: str) -> None:
    lines = told(tmp_path, read(tmp_path, text, "production.yml"))
    assert any(one.startswith(f"production.yml{where}") and what in one for one in lines), lines
    assert "s3cret" not in str(lines)


@pytest.mark.parametrize("tag", ["!vault", "!vault-encrypted"])
def test_an_encrypted_value_is_a_mistake_where_it_matters(tmp_path: Path, tag: str) -> None:
    inventory = read(tmp_path, f"web:\n  hosts:\n    h:\n      ansible_user: {tag} |\n        3061\n", "a.yml")
    with pytest.raises(Unclear, match=r"a\.yml, line 4: ansible_user: found a value that ansible-vault has encrypted"):
        reached(inventory, "h")


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("#!/usr/bin/env python3\nprint('{}')\n", "found a script, allowed a static inventory: nothing is executed"),
        ("$ANSIBLE_VAULT;1.1;AES256\n3061\n", "found what ansible-vault has encrypted"),
    ],
)
def test_what_would_have_to_be_run_or_decrypted(tmp_path: Path, text: str, what: str) -> None:
    path = tmp_path / "inventory"
    path.write_text(text)
    path.chmod(0o755)
    (line,) = read_inventory(path).mistakes
    assert line.startswith(f"{path}: {what}")


def test_an_inventory_that_is_not_there(tmp_path: Path) -> None:
    assert "found no readable file (No such file or directory)" in read_inventory(tmp_path / "x").mistakes[0]
    assert "found no readable file (Is a directory)" in read_inventory(tmp_path).mistakes[0]


def test_files_beside_the_inventory_count(tmp_path: Path) -> None:
    inventory = read(
        tmp_path, INI,
        group_vars__all__yml="ansible_user: file-of-all\n", group_vars__db="ansible_user: file-of-db\n",
        host_vars__db2__yaml="other: {a: [1]}\nansible_host: 10.0.0.2\n", host_vars__nobody__yml="ansible_host: x\n",
    )  # fmt: skip
    assert reached(inventory, "mail") == "ssh://file-of-all@10.0.0.9"
    assert reached(inventory, "web01.internal") == "ssh://deploy@web01.internal:2222"
    assert reached(inventory, "db2") == "ssh://file-of-db@10.0.0.2:6022"


def test_what_is_wrong_beside_the_inventory(tmp_path: Path) -> None:
    inventory = read(tmp_path, INI, group_vars__web__yml="ansible_password: x\n", host_vars__db1="a: [")
    assert (
        [one for one in told(tmp_path, inventory) if one.startswith("host_vars/db1, line ")]
        == told(tmp_path, inventory)
        != []
    )
    with pytest.raises(Unclear, match=r"group_vars/web\.yml, line 1: ansible_password: found a value"):
        connection("web01.internal", inventory.variables("web01.internal"), None, own_ssh_config=False)


@pytest.mark.parametrize("template", [None, "ssh://m@{host}"])
def test_an_encrypted_file_may_hold_any_variable_of_its_group(tmp_path: Path, template: str | None) -> None:
    inventory = read(tmp_path, INI, group_vars__db__yml="$ANSIBLE_VAULT;1.1;AES256\n3061\n")
    assert reached(inventory, "mail") == REACHED["mail"]
    assert reached(inventory, "db1", "ssh://m@{name}") == "ssh://m@db1"
    with pytest.raises(
        Unclear, match=r"group_vars/db\.yml: found what ansible-vault has encrypted, allowed plain text, or"
    ):
        reached(inventory, "db1", template)


words = st.sampled_from(
    ["web", "db", "[", "]", ":", "vars", "children", "=", "'", '"', "#", "\n", " ", "ansible_port", "1"]
)


@given(st.lists(words, max_size=30).map("".join), st.sampled_from(["fuzz.ini", "fuzz.yml"]))
def test_any_text_is_read_or_a_mistake(tmp_path_factory: pytest.TempPathFactory, text: str, name: str) -> None:
    path = tmp_path_factory.getbasetemp() / name
    path.write_text(text)
    inventory = read_inventory(path)
    for host in () if inventory.mistakes else inventory.hosts:
        assert inventory.variables(host) is not None


@pytest.mark.skipif(shutil.which("ansible-inventory") is None, reason="there is no ansible-inventory to ask")
@pytest.mark.parametrize(("name", "text"), [("production.ini", INI), ("production.yml", YAML)])
def test_ansible_reads_it_so_too(tmp_path: Path, name: str, text: str) -> None:
    text = text.replace("!vault", "!unsafe")
    files = {"group_vars__prod__yml": "ansible_user: of-a-file\n", "host_vars__db1": "ansible_port: 9\n"}
    inventory = read(tmp_path, text, name, **files)
    command = ["ansible-inventory", "-i", str(tmp_path / name), "--list"]
    theirs = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)["_meta"]["hostvars"]
    for host in inventory.hosts:
        ours = {key: str(variable.value) for key, variable in inventory.variables(host).items()}
        assert ours == {key: str(value) for key, value in theirs[host].items() if key.startswith("ansible_")}
