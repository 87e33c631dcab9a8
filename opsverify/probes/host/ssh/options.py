"""An ssh_config's effective settings in asyncssh's terms, or why they are left to OpenSSH's own client.

Nothing is left to asyncssh's own reading of ssh_config: all that it is told comes from `ssh -G`. What it is not told of
is either off here anyway (forwardings, terminals, environment), or a reason to use OpenSSH.
Source: ssh_config(5); asyncssh's SSHClientConnectionOptions.
"""

from __future__ import annotations

import os
import socket
import stat
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from opsverify.errors import OpsverifyError
from opsverify.probes.host.ssh.configuration import Settings
from opsverify.probes.host.ssh.known_hosts import known_keys

KEEPALIVE_SECONDS, KEEPALIVES = 5, 2

_UNLESS = {
    "proxycommand": ("", "none"),
    "bindaddress": ("", "none"),
    "bindinterface": ("", "none"),
    "checkhostip": ("", "no"),
    "knownhostscommand": ("", "none"),
    "revokedhostkeys": ("", "none"),
    "verifyhostkeydns": ("", "no", "false"),
    "pkcs11provider": ("", "none"),
    "pubkeyauthentication": ("", "yes", "true"),
    "setenv": ("",),
    "certificatefile": ("", "none"),
    "securitykeyprovider": ("", "internal"),
}
"""Settings that only OpenSSH follows, unless they have one of these values."""


class LeftToOpenSSH(OpsverifyError):
    """asyncssh does not take this connection; the message says why, in a few words."""


def refusal(settings: Settings) -> str:
    """The setting for which a configuration, or that of a host on the way, is left to OpenSSH; "" where none is."""
    for key, values in _UNLESS.items():
        if settings.get(key).lower() not in values:
            return key
    if "publickey" not in (settings.get("preferredauthentications") or "publickey").split(","):
        return "preferredauthentications"
    if any("%" in path or "$" in path for path in settings.all("identityfile")):
        return "identityfile"
    return refusal(settings.through) if settings.through else ""


def connection_options(settings: Settings) -> dict[str, Any]:
    """The arguments of `asyncssh.connect` (but host, port and tunnel). Raises LeftToOpenSSH.

    It reads keys and known hosts, so it is not for an event loop.
    """
    agent = _agent(settings)
    pairs = _key_pairs(settings)
    if not pairs and agent is None:
        raise LeftToOpenSSH("no key that can be used without a passphrase, and no agent")
    return {
        "config": None,
        "username": settings.get("user"),
        **_host_keys(settings),
        "x509_trusted_certs": None,
        "client_keys": pairs,
        # What the files hold is enough in most cases; OpenSSH is tried with all that an agent has where it is not.
        "agent_path": None if pairs else agent,
        "agent_identities": None if pairs else _only(settings),
        "preferred_auth": "publickey",
        "password_auth": False,
        "kbdint_auth": False,
        "host_based_auth": False,
        "gss_auth": False,
        "gss_kex": False,
        "family": {"inet": socket.AF_INET, "inet6": socket.AF_INET6}.get(settings.get("addressfamily"), 0),
        "keepalive_interval": KEEPALIVE_SECONDS,
        "keepalive_count_max": KEEPALIVES,
        "compression_algs": "zlib@openssh.com,none" if settings.get("compression") == "yes" else "none",
        **_algorithms(settings),
    }


def _algorithms(settings: Settings) -> dict[str, str]:
    """Those that the configuration allows and asyncssh knows, in the configuration's order."""
    from asyncssh import encryption, kex, mac, public_key

    known: dict[str, tuple[str, Callable[[], list[bytes]]]] = {
        "kexalgorithms": ("kex_algs", kex.get_kex_algs),
        "ciphers": ("encryption_algs", encryption.get_encryption_algs),
        "macs": ("mac_algs", mac.get_mac_algs),
        "pubkeyacceptedalgorithms": ("signature_algs", public_key.get_public_key_algs),
    }
    chosen = {}
    for key, (argument, names) in known.items():
        wanted = settings.get(key)
        if not wanted:
            continue
        possible = {name.decode() for name in names()}
        # The old groups are slow, and cryptography, which asyncssh computes with, is about to give them up.
        shared = [n for n in wanted.split(",") if n in possible and not n.startswith("diffie-hellman-")]
        if not shared:
            raise LeftToOpenSSH(key)
        chosen[argument] = ",".join(shared)
    return chosen


def _host_keys(settings: Settings) -> dict[str, Any]:
    """Which host keys are accepted, by which algorithms and for which name: no more than OpenSSH would."""
    from asyncssh.public_key import get_certificate_algs

    files = [path for key in ("userknownhostsfile", "globalknownhostsfile") for path in settings.get(key).split()]
    if not all(path.startswith(("/", "~")) or path == "none" for path in files):
        raise LeftToOpenSSH("userknownhostsfile")  # one has a space in its name, which `ssh -G` does not quote
    files = [os.path.expanduser(path) for path in files if path != "none"]
    name, port = settings.endpoint
    alias = settings.get("hostkeyalias")
    keys, authorities, *others = known_keys(files, alias or name, None if alias or port == 22 else port)
    least = int(settings.get("requiredrsasize") or 1024)
    keys = [key for key in keys if key.algorithm != b"ssh-rsa" or key.pyca_key.key_size >= least]
    # asyncssh asks neither how an RSA authority signed nor how long a signed RSA key is: these are left to OpenSSH.
    signing = {name for name in settings.get("casignaturealgorithms").split(",") if "rsa" not in name}
    authorities = [key for key in authorities if key.algorithm.decode() in signing]
    possible = {name.decode() for key in keys for name in key.sig_algorithms}
    if authorities:
        possible |= {name.decode() for name in get_certificate_algs() if b"rsa" not in name}
    allowed = [name for name in settings.get("hostkeyalgorithms").split(",") if name in possible]
    if not allowed:
        # It may be accepted as new, or it is refused, and OpenSSH says how.
        raise LeftToOpenSSH("no host key of a kind that asyncssh knows")
    keys = [key for key in keys if not {name.decode() for name in key.sig_algorithms}.isdisjoint(allowed)]
    return {
        "known_hosts": lambda host, address, port: (keys, authorities, *others),
        "server_host_key_algs": allowed,
        "host_key_alias": (alias or name).lower(),  # the name that a certificate must be for
    }


_pairs: dict[tuple[str, int], Sequence[Any]] = {}
_pairs_lock = threading.Lock()


def _key_pairs(settings: Settings) -> list[Any]:
    """The private keys of the configuration's files that need no passphrase, with their certificates."""
    from asyncssh import load_keypairs

    pairs: list[Any] = []
    for text in settings.all("identityfile"):
        path = Path(text).expanduser()
        with suppress(OSError, ValueError):
            found = path.stat()
            if found.st_uid == os.getuid() and stat.S_IMODE(found.st_mode) & 0o077:
                continue  # which OpenSSH refuses to use
            key = (str(path), found.st_mtime_ns)
            with _pairs_lock:
                if key not in _pairs:
                    _pairs[key] = load_keypairs(str(path))
            pairs += _pairs[key]
    return pairs


def _agent(settings: Settings) -> str | None:
    said = settings.get("identityagent") or "SSH_AUTH_SOCK"
    if said == "none":
        return None
    path = os.environ.get(said.removeprefix("$"), "") if said == "SSH_AUTH_SOCK" or said.startswith("$") else said
    return os.path.expanduser(path) or None


def _only(settings: Settings) -> list[str] | None:
    """The public keys of an agent that may be offered, None: all."""
    if settings.get("identitiesonly") != "yes":
        return None
    paths = [os.path.expanduser(text) for text in settings.all("identityfile")]
    files = [path if path.endswith(".pub") else f"{path}.pub" for path in paths]
    there = [file for file in files if os.path.isfile(file)]
    if not there:
        raise LeftToOpenSSH("identitiesonly without public keys")
    return there
