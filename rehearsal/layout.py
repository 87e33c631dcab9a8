"""Where everything of one rehearsal lies: as on a server, below one root instead of `/`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

SLOTS = ("blue", "green")
SLOTS_APART_SECONDS = 0.5
"""Slots are told apart by when their APIs started: how long after one the next is started."""
PACKAGE = Path(__file__).parent


@dataclass(frozen=True)
class Layout:
    """Paths below `root`; `postgres_home` lies elsewhere only when PostgreSQL must run as another user."""

    root: Path
    postgres_home: Path

    @classmethod
    def below(cls, root: Path, *, postgres_elsewhere: bool = False) -> Layout:
        """Lay out a rehearsal in `root`."""
        return cls(root, elsewhere(root) if postgres_elsewhere else root / "var/lib/postgresql")

    @property
    def checkout(self) -> Path:
        return self.root / "srv/mycats"

    def checkout_of(self, slot: str) -> Path:
        """The checkout that a slot runs from: each has its own, so that the idle one can be deployed to."""
        return self.checkout if slot == SLOTS[0] else self.checkout.with_name(f"{self.checkout.name}-{slot}")

    @property
    def backend(self) -> Path:
        return self.checkout / "backend"

    @property
    def frontend(self) -> Path:
        return self.checkout / "frontend"

    @property
    def scripts(self) -> Path:
        return self.checkout / "scripts"

    @property
    def migrations(self) -> Path:
        return self.backend / "prisma/migrations"

    @property
    def env_file(self) -> Path:
        return self.backend / ".env"

    @property
    def app_log(self) -> Path:
        return self.backend / "backend.log"

    @property
    def operations_log(self) -> Path:
        return self.checkout / "operations.log"

    @property
    def runbook(self) -> Path:
        return self.checkout / "docs/operations.md"

    @property
    def origin(self) -> Path:
        return self.root / "srv/git/mycats.git"

    @property
    def weekly_backups(self) -> Path:
        return self.checkout / "backup"

    @property
    def npm_cache(self) -> Path:
        return self.root / "home/.npm"

    @property
    def backups(self) -> Path:
        return self.root / "backup/mycats"

    @property
    def etc(self) -> Path:
        return self.root / "etc"

    @property
    def operations_conf(self) -> Path:
        return self.etc / "mycats/operations.conf"

    @property
    def pgpass(self) -> Path:
        return self.etc / "mycats/pgpass"

    @property
    def tls(self) -> Path:
        return self.etc / "ssl/mycats"

    @property
    def proxy_config(self) -> Path:
        return self.etc / "nginx/proxy.json"

    @property
    def active_slot(self) -> Path:
        return self.etc / "active-slot"

    @property
    def maintenance(self) -> Path:
        return self.etc / "maintenance"

    @property
    def variables(self) -> Path:
        return self.etc / "rehearsal.json"

    @property
    def run(self) -> Path:
        return self.root / "var/run"

    @property
    def processes(self) -> Path:
        return self.root / "var/lib/rehearsal/processes"

    @property
    def programs(self) -> Path:
        """What an administrator installed by hand: empty, and looked into first."""
        return self.root / "usr/local/bin"

    @property
    def history(self) -> Path:
        """Results of runs against this rehearsal alone."""
        return self.root / "var/lib/rehearsal/history.db"

    @property
    def log(self) -> Path:
        return self.root / "var/log"

    @property
    def access_log(self) -> Path:
        return self.log / "nginx/access.log"

    @property
    def auth_log(self) -> Path:
        return self.log / "auth.log"

    @property
    def health_check_log(self) -> Path:
        return self.log / "mycats/health-check.log"

    @property
    def alert_spool(self) -> Path:
        return self.root / "var/spool/alerts"

    @property
    def postgres_data(self) -> Path:
        return self.postgres_home / "data"

    @property
    def postgres_log(self) -> Path:
        return self.postgres_home / "log"

    def make(self) -> None:
        """Create the folders that belong to no single part."""
        for folder in (
            self.etc / "mycats",
            self.tls,
            self.proxy_config.parent,
            self.run,
            self.programs,
            self.processes,
            self.access_log.parent,
            self.health_check_log.parent,
            self.alert_spool.parent,
        ):
            folder.mkdir(parents=True, exist_ok=True)
        self.backups.mkdir(parents=True, mode=0o700)
        self.postgres_home.mkdir(parents=True, mode=0o700)


def elsewhere(root: Path) -> Path:
    """Where the PostgreSQL of the rehearsal in `root` lives when it runs as another user.

    That user could not pass through the private folder that holds the roots.
    """
    return root.parent.with_name(root.parent.name + "-postgres") / root.name
