"""How a host of an inventory is reached, by its variables; what we cannot do as it is said is a mistake.

Source: Ansible documentation, "Connecting to hosts: behavioral inventory parameters", "ansible.builtin.ssh connection".
Left alone is what is no matter of reaching: become (`?sudo=true` says so here), interpreters, timeouts, transfers, and
the checking of host keys, which is never switched off.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from urllib.parse import quote

from opsverify.config.inventory.model import PRIORITY, Variable
from opsverify.config.mistakes import shown

_HOST = ("ansible_host", "ansible_ssh_host")
_PORT = ("ansible_port", "ansible_ssh_port")
_USER = ("ansible_user", "ansible_ssh_user")
_KEY = ("ansible_private_key_file", "ansible_ssh_private_key_file")
_CONNECTION = ("ansible_connection",)
_LOCAL = ("local", "ansible.builtin.local")
_SSH = ("ssh", "smart", "ansible.builtin.ssh")

_BY_KEY = "none: log in with a key or an agent, or say `connection: ssh://user@{host}` for the group"
_BY_CONFIG = "none: say it in an ssh_config file, and name that as ssh_config of the group"
_UNSUPPORTED = {
    **dict.fromkeys(("ansible_password", "ansible_ssh_pass", "ansible_ssh_password"), _BY_KEY),
    **dict.fromkeys(("ansible_private_key", "ansible_ssh_private_key"), _BY_KEY),
    **dict.fromkeys(("ansible_private_key_passphrase", "ansible_ssh_private_key_passphrase"), _BY_KEY),
    "ansible_ssh_pkcs11_provider": _BY_CONFIG,
    "ansible_ssh_args": _BY_CONFIG,
    "ansible_ssh_common_args": _BY_CONFIG,
    "ansible_ssh_extra_args": _BY_CONFIG,
    "ansible_ssh_executable": _BY_CONFIG,
}

KNOWN = frozenset({*_HOST, *_PORT, *_USER, *_KEY, *_CONNECTION, *_UNSUPPORTED, PRIORITY})
"""The variables that are kept; the values of all others are not even read."""

ENCRYPTED = "$ANSIBLE_VAULT"
"""What a value begins with that ansible-vault has encrypted."""


class Unclear(Exception):
    """Why a host cannot be reached as its variables say: every mistake, with file and line."""

    def __init__(self, mistakes: list[str]) -> None:
        super().__init__(*mistakes)
        self.mistakes = mistakes


def connection(name: str, variables: Mapping[str, Variable], template: str | None, own_ssh_config: bool) -> str:
    """The connection to a host; `template` is the group's own, of which only `{host}` is filled in from variables.

    Raises Unclear.
    """
    reading = _Reading(variables)
    if template is None or "{host}" in template:
        reading.refuse_files()
    if template is not None:
        address = _address(name, reading) if "{host}" in template else ""
        result = template.replace("{host}", address).replace("{name}", name)
    else:
        result = _as_ansible(name, reading, own_ssh_config)
    if reading.mistakes:
        raise Unclear(reading.mistakes)
    return result


def _as_ansible(name: str, reading: _Reading, own_ssh_config: bool) -> str:
    kind = reading.value(_CONNECTION, lambda text: text in (*_LOCAL, *_SSH), "ssh or local", tell=True) or "ssh"
    if kind in _LOCAL:
        return "local://"
    reading.refuse(_UNSUPPORTED, _BY_CONFIG if own_ssh_config else "")
    user = reading.value(_USER, lambda text: True, "a user's name")
    key = reading.value(_KEY, lambda text: text.startswith(("/", "~")), "a path that begins with / or ~")
    login = f"{quote(user, safe='')}@" if user else ""
    identity = f"?ssh_identity_file={quote(key, safe='/~')}" if key else ""
    return f"ssh://{login}{_address(name, reading)}{identity}"


def _address(name: str, reading: _Reading) -> str:
    """Where it listens: host, and port where one is said."""
    host = reading.value(_HOST, _is_host, "a host's name or address") or name
    port = reading.value(_PORT, _is_port, "a port from 1 to 65535")
    return (f"[{host}]" if ":" in host else host) + (f":{port}" if port else "")


def _is_host(text: str) -> bool:
    name, address = r"[A-Za-z0-9_][A-Za-z0-9_.-]*", r"[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*(%[\w.-]+)?"
    return re.fullmatch(f"{name}|{address}", text) is not None


def _is_port(text: str) -> bool:
    return re.fullmatch(r"[0-9]{1,5}", text) is not None and 0 < int(text) < 65536


class _Reading:
    """The variables in force for a host, while they are read."""

    def __init__(self, variables: Mapping[str, Variable]) -> None:
        self.variables = variables
        self.mistakes: list[str] = []

    def value(self, names: tuple[str, ...], fits: Callable[[str], bool], allowed: str, tell: bool = False) -> str:
        """The value of a variable that may have several names, as text; "" where it is not set."""
        found: dict[str, Variable] = {}
        for name in names:
            variable = self.variables.get(name)
            if variable is None or variable.value in (None, ""):
                continue
            problem = self._problem(variable.value, fits, tell)
            if problem:
                self.mistakes.append(f"{variable.where}: {name}: found {problem}, allowed {allowed}")
            else:
                found[str(variable.value)] = variable
        if len(found) > 1:
            where = next(iter(found.values())).where
            self.mistakes.append(f"{where}: found {' and '.join(names)} that differ, allowed one of them")
        return next(iter(found), "")

    def refuse(self, variables: Mapping[str, str], settled: str) -> None:
        """List those that are set, but for what the group says itself."""
        for name, allowed in variables.items():
            variable = self.variables.get(name)
            if variable is not None and variable.value not in (None, "") and allowed != settled:
                self.mistakes.append(f"{variable.where}: {name}: found a value, allowed {allowed}")

    def refuse_files(self) -> None:
        """List the encrypted files that may hold more variables."""
        allowed = "plain text, or a `connection` of the group that needs no variable: ssh://user@{name}"
        files = [variable.where for key, variable in self.variables.items() if key not in KNOWN]
        self.mistakes += [f"{where}: found what ansible-vault has encrypted, allowed {allowed}" for where in files]

    @staticmethod
    def _problem(value: object, fits: Callable[[str], bool], tell: bool) -> str:
        if isinstance(value, bool) or not isinstance(value, (str, int)):
            return "neither text nor a number"
        text = str(value)
        if text.startswith(ENCRYPTED):
            return "a value that ansible-vault has encrypted"
        if "{{" in text or "{%" in text:
            return "a template, which only Ansible can fill in"
        if fits(text):
            return ""
        return shown(text) if tell and re.fullmatch(r"[\w.]{1,60}", text) else "a value that does not fit"


__all__ = ["ENCRYPTED", "KNOWN", "Unclear", "connection"]
