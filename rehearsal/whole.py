"""The whole stand-in: its parts, the order in which they start, and what a verifier must know of them."""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import subprocess
import threading
from collections.abc import Callable
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from pathlib import Path
from urllib.request import urlopen

from rehearsal import binaries
from rehearsal.credentials import Credentials
from rehearsal.errors import NotStarted, RehearsalError, tail
from rehearsal.layout import SLOTS, SLOTS_APART_SECONDS, Layout
from rehearsal.parts.backend import Backend
from rehearsal.parts.backups import Backups
from rehearsal.parts.checkout import PLACEHOLDER, Checkout
from rehearsal.parts.database import Database
from rehearsal.parts.frontend import Frontend
from rehearsal.parts.health_checks import HealthChecks
from rehearsal.parts.logs import Logs
from rehearsal.parts.part import RunningPart
from rehearsal.parts.postgres import ADMIN, DATABASE, MONITOR, OWNER, Postgres
from rehearsal.parts.proxy import Proxy
from rehearsal.ports import Reservation

REAP_SECONDS = 0.2


class Rehearsal:
    """A stand-in My Cats in an empty folder. `start()` once; then break its parts; `stop()` in the end.

    Parts: `postgres`, `database`, `checkout`, `backends` and `frontends` by slot, `proxy`, `backups`, `logs`,
    `health_checks`. Removing the folder is its owner's business (`rehearsal.roots.Root`).
    """

    def __init__(self, root: Path) -> None:
        self._unprivileged = binaries.unprivileged()
        self.layout = Layout.below(root, postgres_elsewhere=self._unprivileged.uid is not None)
        self.layout.make()
        self._binaries = binaries.postgres()
        self._node = binaries.node()
        self._credentials = Credentials()
        self._cancelled = threading.Event()
        self._stopped = threading.Event()
        self._ports = Reservation()
        take = self._ports.take
        self.postgres = Postgres(
            self.layout, self._binaries, self._unprivileged, take(), self._credentials, self._cancelled
        )
        self.database = Database(self.layout, self.postgres, self._credentials)
        self.checkout = Checkout(self.layout)
        public, plain = take(), take()
        api_ports = {slot: take() for slot in SLOTS}
        frontend_ports = {slot: take() for slot in SLOTS}
        self.proxy = Proxy(
            self.layout,
            self._node,
            (public, plain),
            {slot: (api_ports[slot], frontend_ports[slot]) for slot in SLOTS},
            self._cancelled,
        )
        self._backend_env = {
            "NODE_ENV": "production",
            "DATABASE_URL": self.postgres.dsn(OWNER),
            "JWT_SECRET": self._credentials.jwt_secret,
            "LOGIN_PASSWORD": self._credentials.login_password,
            "CORS_ORIGIN": self.proxy.url,
            "HEALTH_CHECK_DATABASE": "true",
            "PSQL": self._binaries.program("psql"),
        }
        self.backends = {
            slot: Backend(slot, self.layout, self._node, api_ports[slot], self._backend_env, self._cancelled)
            for slot in SLOTS
        }
        self.frontends = {
            slot: Frontend(slot, self.layout, self._node, frontend_ports[slot], self._cancelled) for slot in SLOTS
        }
        self.backups = Backups(self.layout, self.postgres)
        self.logs = Logs(self.layout, self.checkout)
        self.health_checks = HealthChecks(self.layout)

    def start(self) -> None:
        """Start everything, independent parts at the same time, and see that it answers as a whole.

        Raises RehearsalError at the first failure, having stopped what had started.
        """
        try:
            self._configure()
            # What must be there before any process: each is a few milliseconds.
            self.checkout.create()
            self.write_env_file()
            self.logs.create()
            with ThreadPoolExecutor(8, thread_name_prefix="rehearsal") as pool:
                self._together(
                    pool,
                    self._start_database,
                    self.checkout.commit,
                    self._start_proxy,
                    *(lambda slot=slot: self._start_backend(slot) for slot in SLOTS),
                    *(lambda slot=slot: self._start_frontend(slot) for slot in SLOTS),
                )
            self._see_health()
            self.layout.variables.touch(mode=0o600)
            self.layout.variables.write_text(json.dumps(self.variables(), indent=2))
            self.health_checks.start()
            threading.Thread(target=self._reap, name="reaper", daemon=True).start()
        except BaseException:
            self.stop()
            raise

    def _together(self, pool: ThreadPoolExecutor, *starts: Callable[[], None]) -> None:
        futures: list[Future[None]] = [pool.submit(start) for start in starts]
        try:
            wait(futures, return_when=FIRST_EXCEPTION)
        finally:
            if not all(future.done() and future.exception() is None for future in futures):
                # The others stop waiting for their own part: one failure is enough.
                self._cancelled.set()
        wait(futures)
        errors = [error for future in futures if (error := future.exception()) is not None]
        if errors:
            raise _first(errors)

    def _start_database(self) -> None:
        self.postgres.create()
        self.logs.audit(self.postgres.log_folder)
        self._ports.release(self.postgres.port)
        self.postgres.start()
        self.database.create()
        self.backups.create()

    def _start_proxy(self) -> None:
        self._ports.release(self.proxy.public_port, self.proxy.http_port)
        self.proxy.start()

    def _start_backend(self, slot: str) -> None:
        # Slots are told apart by when their APIs started. The database takes longer to start than this.
        self._cancelled.wait(SLOTS.index(slot) * SLOTS_APART_SECONDS)
        self._ports.release(self.backends[slot].port)
        self.backends[slot].start()

    def _start_frontend(self, slot: str) -> None:
        self._ports.release(self.frontends[slot].port)
        self.frontends[slot].start()

    def _see_health(self) -> None:
        try:
            for slot in SLOTS:
                with urlopen(f"{self.backends[slot].url}/health", timeout=15) as answer:
                    json.load(answer)
        except (OSError, ValueError) as error:
            raise NotStarted(f"the API does not answer well ({error}){tail(self.layout.app_log)}") from None

    def _configure(self) -> None:
        """Write what an operator writes by hand on a server: the operations' settings, the secrets."""
        layout = self.layout
        settings = {
            "BACKUP_DIR": str(layout.backups),
            "API_URL_BLUE": self.backends["blue"].url,
            "API_URL_GREEN": self.backends["green"].url,
            "NODE": self._node.path,
            "PGHOST": "127.0.0.1",
            "PGPORT": str(self.postgres.port),
            "PGUSER": OWNER,
            "PGDATABASE": DATABASE,
            "PGPASSFILE": str(layout.pgpass),
        }
        layout.operations_conf.write_text(
            "# Settings of the operations' scripts; the password is in the file named by PGPASSFILE.\n"
            f"PATH={shlex.quote(str(self._binaries.folder))}:$PATH\n"
            + "".join(f"{name}={shlex.quote(value)}\n" for name, value in settings.items())
            + f"export PATH {' '.join(name for name in settings if name.startswith('PG'))}\n"
        )
        _secret(
            layout.pgpass,
            f"127.0.0.1:{self.postgres.port}:{DATABASE}:{OWNER}:{self._credentials.owner_password}\n",
        )

    def stop(self) -> None:
        """Stop every part, in the order in which a person would. Does nothing the second time."""
        self._cancelled.set()
        self._stopped.set()
        self.health_checks.stop()
        with ThreadPoolExecutor(8) as pool:
            for future in [pool.submit(part.stop) for part in self.running_parts]:
                # The others must be stopped all the same; removing the root ends what is left.
                with contextlib.suppress(OSError, subprocess.SubprocessError):
                    future.result()
        self._ports.release_all()

    @property
    def running_parts(self) -> list[RunningPart]:
        """The parts that are processes, from the outside inwards."""
        return [self.proxy, *self.frontends.values(), *self.backends.values(), self.postgres]

    def cancel(self) -> None:
        """Make a `start()` that is under way in another thread end early, by failing."""
        self._cancelled.set()

    def _reap(self) -> None:
        # A process that a fault killed must not linger as a zombie that looks like a running one.
        while not self._stopped.wait(REAP_SECONDS):
            for part in self.running_parts:
                part.alive()

    def variables(self) -> dict[str, str]:
        """Return what the environment file refers to, by names that begin with REHEARSAL_; some are secret."""
        layout, postgres, proxy = self.layout, self.postgres, self.proxy
        plain: dict[str, str | int | Path] = {
            "ROOT": layout.root,
            "OWNER_PID": os.getpid(),
            "PUBLIC_URL": proxy.url,
            "PUBLIC_PORT": proxy.public_port,
            "HTTP_URL": proxy.http_url,
            "HTTP_PORT": proxy.http_port,
            "CA_FILE": proxy.authority.file,
            "CERTIFICATE_FILE": proxy.certificate.chain,
            "CORS_ORIGIN": self._backend_env["CORS_ORIGIN"],
            "ACTIVE_SLOT_FILE": layout.active_slot,
            "MAINTENANCE_FILE": layout.maintenance,
            "PG_HOST": "127.0.0.1",
            "PG_PORT": postgres.port,
            "PG_BIN": self._binaries.folder,
            "PG_VERSION": ".".join(map(str, self._binaries.version)),
            "PG_ORIGIN": self._binaries.origin,
            "PG_DATA": postgres.data,
            "PG_PID_FILE": postgres.data / "postmaster.pid",
            "PG_LOG_DIR": postgres.log_folder,
            "PG_DATABASE": DATABASE,
            "MONITOR_DSN": postgres.dsn(MONITOR),
            "OWNER_DSN": postgres.dsn(OWNER),
            "ADMIN_DSN": postgres.dsn(ADMIN),
            "API_TOKEN": self._credentials.api_token(),
            "LOGIN_PASSWORD": self._credentials.login_password,
            "PUBLISHED_PLACEHOLDER": PLACEHOLDER,
            "NODE": self._node.path,
            "NODE_BIN": os.path.dirname(self._node.path),
            "NODE_VERSION": self._node.version,
            "CHECKOUT": layout.checkout,
            "CHECKOUT_GREEN": layout.checkout_of("green"),
            "ENV_FILE": layout.env_file,
            "GIT": binaries.tool("git") or "",
            "REVISION": self.checkout.revision,
            "VERSION": self.checkout.version,
            "RUNBOOK": layout.runbook,
            "OPERATIONS_LOG": layout.operations_log,
            "BACKUP_DIR": layout.backups,
            "WEEKLY_BACKUP_DIR": layout.weekly_backups,
            "BACKUP_SCRIPT": layout.scripts / "backup.sh",
            "HEALTH_CHECK_SCRIPT": layout.scripts / "health-check.sh",
            "HEALTH_CHECK_LOG": layout.health_check_log,
            "ALERT_SCRIPT": layout.scripts / "send-alert.sh",
            "ALERT_SPOOL": layout.alert_spool,
            "ACCESS_LOG": layout.access_log,
            "APP_LOG": layout.app_log,
            "SSHD_LOG": layout.auth_log,
            "LOG_DIR": layout.checkout / "logs",
            "TEMP_DIR": layout.checkout / "temp",
            "RUN_DIR": layout.run,
        }
        for slot in SLOTS:
            for kind, part in (("API", self.backends[slot]), ("FRONTEND", self.frontends[slot])):
                plain[f"{kind}_{slot.upper()}_URL"] = part.url
                plain[f"{kind}_{slot.upper()}_PORT"] = part.port
        return {f"REHEARSAL_{name}": str(value) for name, value in plain.items()}

    def write_env_file(self) -> None:
        """Write the backend's dotenv file with the real secrets, mode 0600."""
        env = {**self._backend_env, "PORT": str(self.backends["blue"].port)}
        text = "".join(f'{name}="{value}"\n' for name, value in env.items() if name != "PSQL")
        _secret(self.layout.env_file, text)


def _secret(path: Path, text: str) -> None:
    path.touch(mode=0o600)
    path.chmod(0o600)
    path.write_text(text)


def _first(errors: list[BaseException]) -> BaseException:
    """Choose the failure to tell: the cause, not what ended because of it."""
    reasons = [error for error in errors if "not waited for" not in str(error)] or errors
    expected = [error for error in reasons if isinstance(error, RehearsalError)]
    return (expected or reasons)[0]
