"""The proxy in front: TLS by an authority of our own, the switch between slots, the maintenance page."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import trustme

from rehearsal.binaries import Node
from rehearsal.layout import PACKAGE, SLOTS, Layout
from rehearsal.parts.part import RunningPart
from rehearsal.ports import accepts

NAMES = ("localhost", "127.0.0.1")
VALID_FOR = timedelta(days=120)


@dataclass(frozen=True)
class Certificate:
    """Files of one issued certificate: its chain (PEM) and its private key (PEM, mode 0600)."""

    chain: Path
    key: Path


class Authority:
    """A certificate authority of this rehearsal's own, and what it issues, sound or not."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._ca = trustme.CA()
        self.file = folder / "ca.pem"
        self._ca.cert_pem.write_to_path(self.file)

    def issue(
        self,
        name: str = "server",
        *,
        names: tuple[str, ...] = NAMES,
        starts: timedelta = timedelta(days=-1),
        ends: timedelta = VALID_FOR,
        untrusted: bool = False,
    ) -> Certificate:
        """Issue a certificate valid from now + `starts` to now + `ends`.

        An `untrusted` one is issued by an authority that nobody knows.
        """
        now = datetime.now(UTC).replace(tzinfo=None)
        issuer = trustme.CA() if untrusted else self._ca
        leaf = issuer.issue_cert(*names, not_before=now + starts, not_after=now + ends)
        issued = Certificate(self._folder / f"{name}.pem", self._folder / f"{name}.key")
        issued.key.touch(mode=0o600)
        leaf.private_key_pem.write_to_path(issued.key)
        issued.chain.write_bytes(b"".join(blob.bytes() for blob in leaf.cert_chain_pems))
        return issued


class Proxy(RunningPart):
    """The TLS terminator. `restart(name=value)` changes its configuration, for good until restarted again.

    Keys: `certificate_file`, `key_file`, `security_headers`, `static_health`, `redirect_http`, `tls_min_version`,
    `tls_max_version`, `tls_ciphers`, `upstream_timeout_ms`.
    """

    def __init__(
        self,
        layout: Layout,
        node: Node,
        ports: tuple[int, int],
        upstreams: Mapping[str, tuple[int, int]],
        cancelled: threading.Event,
    ) -> None:
        super().__init__("proxy", layout, cancelled)
        self.public_port, self.http_port = ports
        self.log = layout.access_log
        self.authority = Authority(layout.tls)
        self.certificate = self.authority.issue()
        self._layout = layout
        self._node = node
        self._config: dict[str, Any] = {
            "public_port": self.public_port,
            "http_port": self.http_port,
            "certificate_file": str(self.certificate.chain),
            "key_file": str(self.certificate.key),
            "access_log": str(layout.access_log),
            "active_slot_file": str(layout.active_slot),
            "maintenance_file": str(layout.maintenance),
            "slots": {slot: {"api_port": api, "frontend_port": front} for slot, (api, front) in upstreams.items()},
            "security_headers": True,
            "static_health": False,
            "redirect_http": True,
            "tls_min_version": "TLSv1.2",
            "tls_max_version": "TLSv1.3",
            "tls_ciphers": "",
            "upstream_timeout_ms": 15_000,
        }
        self.switch("blue")

    @property
    def url(self) -> str:
        return f"https://localhost:{self.public_port}"

    @property
    def http_url(self) -> str:
        return f"http://localhost:{self.http_port}"

    def start(self) -> None:
        """Start it; it is up when both its ports accept."""
        self._layout.proxy_config.write_text(json.dumps(self._config, indent=2))
        self._service.start(
            ["node", str(PACKAGE / "node/proxy.js"), str(self._layout.proxy_config)],
            executable=self._node.path,
            cwd=self._layout.root,
            env={"PATH": os.environ.get("PATH", os.defpath)},
            log=self._layout.log / "nginx/error.log",
            ready=lambda: accepts(self.public_port) and accepts(self.http_port),
        )

    def restart(self, **changes: Any) -> None:
        """Stop it and start it with a changed configuration. Raises KeyError for a key it doesn't know."""
        if unknown := set(changes) - set(self._config):
            raise KeyError(f"unknown proxy settings: {', '.join(sorted(unknown))}")
        self.stop()
        self._config |= changes
        self.start()

    def serve(self, certificate: Certificate) -> None:
        """Restart with another certificate."""
        self.restart(certificate_file=str(certificate.chain), key_file=str(certificate.key))

    def switch(self, slot: str) -> None:
        """Send traffic to the other slot, at once and without a restart."""
        if slot not in SLOTS:
            raise ValueError(f"unknown slot {slot!r}; known are {', '.join(SLOTS)}")
        new = self._layout.active_slot.with_suffix(".new")
        new.write_text(f"{slot}\n")
        new.replace(self._layout.active_slot)

    def maintenance(self, on: bool) -> None:
        """Show the maintenance page, or stop showing it."""
        if on:
            self._layout.maintenance.touch()
        else:
            self._layout.maintenance.unlink(missing_ok=True)
