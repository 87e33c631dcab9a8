"""What makes an image one particular host: its release, logs, keys, certificate and secrets, as a tree of files.

The files belong to root here; `configure.sh` gives them to the host's own accounts.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from rehearsal.credentials import Credentials
from rehearsal.layout import Layout
from rehearsal.parts.checkout import Checkout
from rehearsal.parts.logs import Logs
from rehearsal.parts.postgres import DATABASE, OWNER
from rehearsal.parts.proxy import Authority, Certificate

FILES = Path(__file__).parent / "files"
BACKEND = {"NODE_ENV": "production", "PORT": "3004", "HEALTH_CHECK_DATABASE": "true"}
OPERATIONS = {
    "BACKUP_DIR": "/backup/mycats",
    "API_URL_BLUE": "http://127.0.0.1:3004",
    "NODE": "/usr/bin/node",
    "PGHOST": "127.0.0.1",
    "PGUSER": OWNER,
    "PGDATABASE": DATABASE,
    "PGPASSFILE": "/etc/mycats/pgpass",
}


def ssh_key(path: Path) -> str:
    """Make a key without a passphrase; return its public half."""
    path.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", path.name, "-f", path], check=True)
    return path.with_name(f"{path.name}.pub").read_text()


def release(folder: Path) -> Layout:
    """Write the deployed release with a day of history in its logs: the same on every host of a run."""
    layout = Layout(folder, folder)
    for part in (layout.access_log.parent, layout.health_check_log.parent, layout.etc):
        part.mkdir(parents=True)
    checkout = Checkout(layout)
    checkout.create()
    Logs(layout, checkout).create()
    # These two are in the journal here.
    layout.app_log.unlink()
    layout.auth_log.unlink()
    checkout.commit()
    checkout.git("remote", "set-url", "origin", "/srv/git/mycats.git")
    # There are no slots here.
    shutil.rmtree(layout.checkout_of("green"), ignore_errors=True)
    return layout


def plant(
    folder: Path,
    released: Layout,
    address: str,
    *,
    addresses: Sequence[str],
    authority: Authority,
    key: str,
    secrets: Credentials,
) -> str:
    """Write the tree of the host at `address`, one of `addresses` of the same system, which lets in the public `key`.

    Returns its public host key.
    """
    layout = Layout(folder, folder)
    shutil.copytree(released.root, folder, symlinks=True)
    shutil.copytree(FILES, folder, dirs_exist_ok=True)
    dsn = f"postgresql://{OWNER}:{secrets.owner_password}@127.0.0.1:5432/{DATABASE}"
    origins = ",".join(f"https://{one}" for one in addresses)
    backend = {**BACKEND, "DATABASE_URL": dsn, "JWT_SECRET": secrets.jwt_secret, "CORS_ORIGIN": origins}
    backend["LOGIN_PASSWORD"] = secrets.login_password
    files = {
        "etc/mycats/backend.env": _lines(backend),
        "etc/mycats/operations.conf": _lines({f"export {name}": value for name, value in OPERATIONS.items()}),
        "etc/mycats/pgpass": f"127.0.0.1:5432:{DATABASE}:{OWNER}:{secrets.owner_password}\n",
        "etc/active-slot": "blue\n",
        "etc/postgresql/15/main/conf.d/listen.conf": f"listen_addresses = 'localhost,{address}'\n",
        "root/.ssh/authorized_keys": key,
        "home/monitor/.ssh/authorized_keys": key,
        "var/spool/alerts": "",
    }
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    for empty in (layout.backups, layout.weekly_backups, layout.tls):
        empty.mkdir(parents=True, exist_ok=True)
    issued = certificate(authority, address)
    shutil.copyfile(issued.chain, layout.tls / "server.pem")
    shutil.copyfile(issued.key, layout.tls / "server.key")
    return ssh_key(folder / "etc/ssh/ssh_host_ed25519_key")


def certificate(authority: Authority, address: str, ends: timedelta = timedelta(days=120)) -> Certificate:
    """Issue a certificate for `address` that ends in `ends` from now, and began 90 days before that at the latest."""
    starts = min(timedelta(days=-1), ends - timedelta(days=90))
    return authority.issue(f"server-{address}", names=(address,), starts=starts, ends=ends)


def _lines(values: dict[str, str]) -> str:
    return "".join(f"{name}={value}\n" for name, value in values.items())
