"""Probes on the machines of a Dask cluster: for fleets that one machine cannot ask, and networks it cannot reach.

What is about the machine of the checks itself (`local://`, loopback, drills, its files) stays here, unless a target
says `via`: then it runs on a worker with that resource. Nothing is sent unencrypted, loopback apart: targets hold their
credentials. Workers must have the very same code.
Source: Dask, "Worker Resources", "TLS/SSL"; a task whose worker is lost runs again on another.
"""

from __future__ import annotations

import hashlib
import ipaddress
import socket
import sys
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Executor, Future, wait
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import opsverify
from opsverify.errors import OpsverifyError, ProbeError, Unreachable
from opsverify.evidence.deadline import GRACE, Deadline
from opsverify.evidence.executors import DaemonThreads
from opsverify.evidence.query import Answers, Probe, Questions, bug_of

CONNECT_SECONDS = 15


class ClusterError(OpsverifyError):
    """The cluster cannot be used; the message says why in one sentence."""


class Cluster(Executor):
    """An executor that sends each call where it belongs. `close()` it."""

    bounds_calls = True
    """Its calls end by themselves, and some may wait for a worker: their time begins there."""

    def __init__(self, address: str, vias: Iterable[str] = ()) -> None:
        """Connect to `tls://scheduler:8786` (or dask://, the same); raises ClusterError.

        Certificates are those of Dask's own configuration, `distributed.comm.tls`. `vias`: resources that will be asked
        for.
        """
        url = _address(address)
        try:
            from distributed import Client
        except ImportError:
            raise ClusterError("--executor needs Dask: pip install -r requirements-fleet.txt") from None
        _reachable(url)
        try:
            self._client: Any = Client(url, timeout=CONNECT_SECONDS, name="opsverify", set_as_default=False)
        except (OSError, ValueError, TypeError, RuntimeError) as error:
            raise ClusterError(f"no Dask scheduler answers at {url} ({type(error).__name__})") from None
        try:
            self.threads, resources = self._workers()
            if missing := sorted(set(vias) - resources):
                there = ", ".join(sorted(resources)) or "none"
                raise ClusterError(f"no worker at {url} has the resource {', '.join(missing)} (there are: {there})")
        except BaseException:
            self.close()
            raise
        self._here = DaemonThreads()
        self._there: dict[str | None, Executor] = {}

    def _workers(self) -> tuple[int, set[str]]:
        """(threads of all workers, names of their resources). Raises ClusterError where one has another version."""
        workers = self._client.scheduler_info(n_workers=-1)["workers"]
        if not workers:
            raise ClusterError("the Dask scheduler has no workers")
        ours = version()
        versions = {f"worker {name}": said for name, said in self._client.run(version, on_error="return").items()}
        try:
            versions["scheduler"] = self._client.run_on_scheduler(version)
        except Exception as error:
            versions["scheduler"] = error
        for name, theirs in versions.items():
            if theirs != ours:
                said = theirs if isinstance(theirs, str) else f"no opsverify ({type(theirs).__name__})"
                raise ClusterError(f"the Dask {name} has {said}, and here is {ours}: they must be the same")
        names = {name for worker in workers.values() for name in worker["resources"]}
        return sum(worker["nthreads"] for worker in workers.values()), names

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Run `fn(probe, target, questions, deadline)` where its target can be reached."""
        probe, target, questions, deadline = args
        via = getattr(target, "via", None)
        if via is None and belongs_here(probe, target):
            return self._here.submit(_bounded, *args)
        if via not in self._there:
            resources = {"resources": {via: 1}} if via else {}
            self._there[via] = self._client.get_executor(pure=False, retries=0, **resources)
        return self._there[via].submit(call, probe, target, questions, deadline.seconds)

    def close(self) -> None:
        """Leave the cluster; what still runs there is cancelled."""
        self._client.close(timeout=5)


def _reachable(url: str) -> None:
    """Raise ClusterError for what would keep Dask's client trying, and its end waiting, for most of a minute."""
    from distributed.security import Security

    parts = urlsplit(url)
    said = Security().get_tls_config_for_role("client")
    missing = [key for key in ("ca_file", "cert", "key") if not said.get(key)]
    if parts.scheme == "tls" and missing:
        raise ClusterError(
            f"{url} asks for certificates, and Dask's configuration names none (distributed.comm.tls: "
            f"{', '.join(missing)}; see docs/fleets.md)"
        )
    try:
        socket.create_connection((parts.hostname or "", parts.port or 8786), CONNECT_SECONDS).close()
    except OSError as error:
        raise ClusterError(f"no Dask scheduler answers at {url} ({error.strerror or 'no answer'})") from None


def _address(text: str) -> str:
    parts = urlsplit(text)
    try:
        port = parts.port or 8786
    except ValueError:
        port = 0
    if parts.scheme not in ("dask", "tls", "tcp") or not parts.hostname or not port:
        raise ClusterError(f"--executor: found {text!r}, allowed dask://scheduler:8786")
    where = f"[{parts.hostname}]:{port}" if ":" in parts.hostname else f"{parts.hostname}:{port}"
    if parts.scheme == "tcp" and not _is_loopback(parts.hostname):
        raise ClusterError(
            f"--executor: {text} is not encrypted, and targets hold credentials: give scheduler and workers "
            f"certificates, and use tls://{where}"
        )
    return f"{'tcp' if parts.scheme == 'tcp' else 'tls'}://{where}"


def call(probe: Probe, target: Any, questions: Questions, seconds: float) -> tuple[Answers | ProbeError, float]:
    """On a worker: call a probe, and give it up when it overruns.

    Never raises: Dask would write its arguments to the worker's log.
    """
    return _bounded(probe, target, questions, Deadline(seconds))


def _bounded(probe: Probe, target: Any, questions: Questions, deadline: Deadline) -> tuple[Answers | ProbeError, float]:
    began = time.monotonic()
    answers: Answers | ProbeError
    try:
        future = DaemonThreads().submit(probe, target, questions, deadline)
        while not future.done() and deadline.left + GRACE > 0:  # it moves while the probe waits in a queue of ours
            wait([future], timeout=deadline.left + GRACE)
        silent = Unreachable(f"no answer within {deadline.seconds:g} s")
        answers = dict(future.result()) if future.done() else silent
    except ProbeError as error:
        answers = error
    except Exception as error:
        answers = bug_of(probe, error)
    if isinstance(answers, ProbeError):
        answers.__traceback__ = answers.__context__ = answers.__cause__ = None
    return answers, time.monotonic() - began


def belongs_here(probe: Probe, target: Any) -> bool:
    """Whether a probe of a target is about the machine of the checks, or acts on it."""
    if probe.__module__.startswith("opsverify.drills."):
        return True
    connection = getattr(target, "connection", None)
    if connection is not None:
        parts = urlsplit(connection)
        return parts.scheme != "ssh" or _is_loopback(parts.hostname or "")
    if (dsn := getattr(target, "dsn", None)) is not None:
        host = getattr(target, "location", ("",))[0] if dsn else ""
        return not host or host.startswith("/") or _is_loopback(host)
    for name in ("url", "location", "address", "domain"):
        if (value := getattr(target, name, None)) is not None:
            parts = urlsplit(str(value))
            if name == "location" and parts.scheme not in ("http", "https"):
                return True
            return _is_loopback(parts.hostname or str(value))
    return True


def _is_loopback(name: str) -> bool:
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


@cache
def version() -> str:
    """The suite's version, Python's, and a digest of the suite's code: facts travel as pickles between equals only."""
    digest = hashlib.sha256()
    package = Path(opsverify.__file__).parent
    for path in sorted(package.rglob("*")):
        if path.suffix in (".py", ".sh", ".awk", ".sql"):
            digest.update(str(path.relative_to(package)).encode() + b"\0" + path.read_bytes())
    python = f"{sys.version_info[0]}.{sys.version_info[1]}"
    return f"opsverify {opsverify.__version__} ({digest.hexdigest()[:12]}) on Python {python}"
