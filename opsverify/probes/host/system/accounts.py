"""Who can log in to a host, and who can become root on it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import ClassVar

from opsverify.probes.host.question import MIB, Answer, Question, one_line
from opsverify.probes.host.shell_file import ShellFile

NO_LOGIN = ("nologin", "false", "sync", "halt", "shutdown", "true")


@dataclass(frozen=True)
class Account:
    """An account with a login shell. `password`: "set", "locked", "empty", "expired"; "" where it may not be seen.

    `keys`: whether sshd would find a public key for it; None where that may not be seen.
    """

    name: str
    uid: int
    password: str
    keys: bool | None

    @property
    def needs_no_password(self) -> bool:
        """Whether its password is known to be empty."""
        return self.password == "empty"  # noqa: S105 - a state

    @property
    def can_log_in(self) -> bool | None:
        """By password or by key; None: neither is known, and one of them may not be seen.

        A locked password does not keep a key out; an expired account is refused both ways.
        """
        if self.password == "expired":  # noqa: S105 - a state
            return False
        if self.password in ("set", "empty") or self.keys:
            return True
        return None if self.password == "" or self.keys is None else False


@dataclass(frozen=True)
class AccountFacts:
    """The accounts with a login shell, and who can use sudo."""

    accounts: tuple[Account, ...]
    sudoers: tuple[tuple[str, str], ...]
    """(account, through what): "%sudo", "/etc/sudoers.d/deploy", "user id 0". "ALL" stands for everybody."""
    sudo_hidden: str | None
    """Why `sudoers` may not be all of them, None when they are."""


@dataclass(frozen=True)
class Accounts(Question):
    """Accounts that can log in or use sudo.

    An account can log in when its shell is none of nologin, false and the like, it has not expired, and it has a
    password or a public key that sshd would accept. Privileges: none for what is public; the group shadow (or root)
    for whether passwords are set, root for /etc/sudoers and other accounts' keys: what may not be seen is said so.
    Hashes never leave the host. Source: getent(1), shadow(5), sshd_config(5), sudoers(5); not sudo rules in LDAP.
    """

    shell = ShellFile(__package__, "accounts.sh")
    max_bytes: ClassVar[int] = MIB

    @property
    def title(self) -> str:
        return "the host's accounts"

    def parse(self, answer: Answer) -> AccountFacts:
        blocks = {block.name: block for block in answer.blocks()}
        if answer.truncated or not {"passwd", "group", "keys", "end"} <= blocks.keys():
            raise answer.failure(self.title, "the list is too long" if answer.truncated else "it ended early")
        users = [line[1:].split(":") for line in blocks["passwd"].lines]
        users = [fields for fields in users if len(fields) == 5 and fields[1].isdecimal()]
        if not users:
            raise answer.failure(self.title, "there are none")
        passwords = _passwords(blocks["shadow"].lines, blocks["shadow"].rest) if "shadow" in blocks else {}
        keys = dict(line[1:].rpartition(":")[::2] for line in blocks["keys"].lines)
        accounts = tuple(
            Account(name, int(uid), passwords.get(name, ""), {"yes": True, "no": False}.get(keys.get(name, "")))
            for name, uid, _, _, shell in users
            if shell.rpartition("/")[2] not in NO_LOGIN
        )
        groups = _groups([line[1:].split(":") for line in blocks["group"].lines], users)
        files = [(b.rest, [line[1:] for line in b.lines]) for b in answer.blocks() if b.name == "sudoers"]
        denied = [block.rest for block in answer.blocks() if block.name == "denied"]
        sudo = [(name, "user id 0") for name, uid, *_ in users if uid == "0"]
        sudo += _sudoers(files, groups, {uid: name for name, uid, *_ in users})
        if denied:  # then what the usual groups may is taken for granted
            sudo += [(member, f"%{group}") for group in ("sudo", "wheel", "admin") for member in groups.get(group, ())]
        hidden = f"who may use sudo: this account may not read {', '.join(denied)} (root may)" if denied else None
        return AccountFacts(accounts, tuple(dict.fromkeys(sudo)), hidden)


def _passwords(lines: list[str], today: str) -> dict[str, str]:
    states = {}
    for line in lines:
        name, _, rest = line[1:].partition(":")
        state, _, expires = rest.partition(":")
        past = expires.isdecimal() and today.isdecimal() and int(expires) <= int(today)
        states[name] = "expired" if past else state
    return states


def _groups(lines: Iterable[list[str]], users: Iterable[list[str]]) -> dict[str, list[str]]:
    """Members by group, those whose primary group it is among them."""
    groups: dict[str, list[str]] = {}
    for fields in lines:
        if len(fields) == 3:
            primary = [user[0] for user in users if user[2] == fields[1]]
            groups[fields[0]] = list(dict.fromkeys([*filter(None, fields[2].split(",")), *primary]))
    return groups


_RULE = re.compile(r"(?P<users>[^=]+?)\s+[^\s=,]+(?:\s*,\s*[^\s=,]+)*\s*=")
_ALIAS = re.compile(r"User_Alias\s+(.*)")
_NO_RULE = re.compile(r"Defaults|(?:Host|Cmnd|Cmd|Runas|User)_Alias\b|[@#]include")


def _sudoers(
    files: Iterable[tuple[str, list[str]]], groups: Mapping[str, list[str]], by_uid: Mapping[str, str]
) -> list[tuple[str, str]]:
    """Who the rules let in, and through which file or group."""
    rules: list[tuple[str, str]] = []
    aliases: dict[str, list[str]] = {}
    for path, lines in files:
        for line in re.sub(r"\\\n", " ", "\n".join(lines)).split("\n"):
            # A # begins a comment, except before digits, where it is a user id.
            text = re.sub(r"(?<![\w%])#(?!\d).*", "", line).strip()
            alias = _ALIAS.match(text)
            for definition in alias[1].split(":") if alias else ():
                name, _, members = definition.partition("=")
                aliases[name.strip()] = _names(members)
            rule = None if _NO_RULE.match(text) else _RULE.match(text)
            if rule:
                rules += [(user, path) for user in _names(rule["users"])]
    sudoers: list[tuple[str, str]] = []
    for user, path in rules:
        for name in aliases.get(user, [user]):
            if name.startswith("%"):
                # A group that the host does not list, of a directory perhaps, stands for whoever is in it.
                sudoers += [(member, name) for member in groups.get(name[1:], [name])]
            elif name.startswith("#"):
                sudoers.append((by_uid.get(name[1:], name), path))
            elif not name.startswith("!"):
                sudoers.append((one_line(name, 60), path))
    return sudoers


def _names(text: str) -> list[str]:
    return [name.strip().strip('"') for name in text.split(",") if name.strip()]


__all__ = ["Account", "AccountFacts", "Accounts"]
