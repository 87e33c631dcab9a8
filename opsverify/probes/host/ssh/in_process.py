"""SSH within this process, by asyncssh: one verified connection to each host, shared by all that is asked of it.

A connection costs a sixth of the processor time that OpenSSH's own client takes, with its three processes a host, and
one connection to a bastion serves all hosts behind it. All of them live in one event loop, in a thread of its own.
What asyncssh does not take is left to OpenSSH (`LeftToOpenSSH`); so is every login that failed, as OpenSSH knows more
ways in and says better why there is none.
"""

from __future__ import annotations

import asyncio
import os
import queue
import random
import socket
import threading
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import TimeoutError as NotYet
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from opsverify.errors import ProbeError, Unreachable
from opsverify.probes.host.causes import explain
from opsverify.probes.host.run import MAX_OUTPUT, Finished
from opsverify.probes.host.ssh.configuration import SET_UPS_AT_ONCE, Settings
from opsverify.probes.host.ssh.options import LeftToOpenSSH, connection_options
from opsverify.probes.host.ssh.per_process import PerProcess

if TYPE_CHECKING:
    from asyncssh import SSHClient, SSHClientConnection, SSHClientSession

    from opsverify.evidence.deadline import Deadline

IDLE_SECONDS = 15.0
"""How long a connection outlives its last use."""
SESSIONS = 8
"""On one connection: sshd takes ten (MaxSessions)."""
HELD_BYTES = 4 * 1024 * 1024
"""Output that may wait for whoever reads it; then the host has to."""

Options = dict[Settings, dict[str, Any]]
"""The arguments of `asyncssh.connect` for a host and those on the way."""


@dataclass
class _Shared:
    """One connection, in the making or standing."""

    task: asyncio.Task[SSHClientConnection]
    turn: asyncio.Event
    """Set when it is no longer in a queue of ours."""
    sessions: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(SESSIONS))
    users: int = 0
    closing: asyncio.TimerHandle | None = None

    @property
    def ended(self) -> bool:
        """Whether it is neither in the making nor standing."""
        if not self.task.done():
            return False
        return self.task.cancelled() or self.task.exception() is not None or self.task.result().is_closed()


class Client:
    """The connections of this process."""

    def __init__(self) -> None:
        self.owner = os.getpid()
        self._loop = asyncio.new_event_loop()
        self._shared: dict[Settings, _Shared] = {}
        self._spent: list[tuple[Settings, _Shared]] = []
        self._gates: dict[tuple[str, int], asyncio.Semaphore] = {}
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True, name="ssh")
        self._thread.start()

    def run(
        self, settings: Settings, command: str, script: str, deadline: Deadline, sink: Callable[[bytes], None] | None
    ) -> Finished:
        """Run a command with `script` on its standard input; see `opsverify.probes.host.run.run` for its bounds.

        Raises LeftToOpenSSH, and Unreachable where nothing that OpenSSH could try would help.
        """
        options: Options = {}
        one: Settings | None = settings
        while one is not None:
            options[one] = connection_options(one)
            one = one.through
        opened = self._opened(self._open(settings, options, command, deadline), deadline)
        sent, began = time.time(), time.monotonic()
        try:
            self._loop.call_soon_threadsafe(opened.send, script.encode())
            return opened.read(sent, began, deadline, sink)
        finally:
            self._loop.call_soon_threadsafe(opened.end)

    def _opened(self, work: Coroutine[Any, Any, _Session], deadline: Deadline) -> _Session:
        came: list[_Session] = []

        async def comes() -> None:
            came.append(await work)

        future = asyncio.run_coroutine_threadsafe(comes(), self._loop)
        while True:
            with suppress(NotYet):
                # In turns: a deadline moves while its probe waits in one of our queues.
                future.result(max(0.01, min(deadline.left, 1.0)))
                return came[0]
            if future.done():
                future.result()
                return came[0]
            if deadline.left <= 0 and future.cancel():
                # It may have come at this very moment, and nobody else would end it.
                self._loop.call_soon_threadsafe(_end, came)
                raise Unreachable(f"no answer within {deadline.seconds:g} s")

    async def _open(self, settings: Settings, options: Options, command: str, deadline: Deadline) -> _Session:
        import asyncssh

        while True:
            standing = settings in self._shared and self._shared[settings].task.done()
            shared = self._share(settings, options, deadline)
            try:
                return await self._session(settings, shared, command, deadline)
            except (asyncssh.Error, OSError) as error:
                if isinstance(error, TimeoutError) and error.errno is None:
                    # A connection has the time of whoever asked for it first; others may have more.
                    if deadline.left <= 0:
                        raise Unreachable(f"no answer within {deadline.seconds:g} s") from None
                elif not standing or not shared.ended:  # one that stood may have ended unnoticed
                    raise _understood(error) from None
                else:
                    self._drop(settings, shared)

    async def _session(self, settings: Settings, shared: _Shared, command: str, deadline: Deadline) -> _Session:
        shared.users += 1
        session: _Session | None = None
        try:
            with deadline.paused():
                await shared.turn.wait()
            connection = await asyncio.shield(shared.task)
            with deadline.paused():
                await shared.sessions.acquire()
            session = _Session(self._loop, partial(self._leave, settings, shared))
        finally:
            if session is None:
                self._leave(settings, shared, session=False)
        # Not given up in the middle: the host may have begun by then, and would wait for the script.
        opening = self._loop.create_task(
            connection.create_session(session.listener, command, encoding=None, request_pty=False)
        )
        opening.add_done_callback(session.opened)
        try:
            await asyncio.shield(opening)
        except asyncio.CancelledError:
            session.end()
            raise
        return session

    def _leave(self, settings: Settings, shared: _Shared, spent: bool = False, *, session: bool = True) -> None:
        if session:
            shared.sessions.release()
        if spent and self._shared.get(settings) is shared:
            # sshd counts a session until its command ends, given up or not: the next ask gets a connection of its own.
            self._spent.append((settings, self._shared.pop(settings)))
        shared.users -= 1
        if shared.users == 0:
            shared.closing = self._loop.call_later(IDLE_SECONDS, self._drop, settings, shared)

    def _drop(self, settings: Settings, shared: _Shared) -> None:
        if self._shared.get(settings) is shared:
            del self._shared[settings]
        self._spent = [(one, other) for one, other in self._spent if other is not shared]
        if not shared.task.done():
            shared.task.cancel()
        elif not shared.ended:
            shared.task.result().close()

    def _share(self, settings: Settings, options: Options, deadline: Deadline) -> _Shared:
        shared = self._shared.get(settings)
        if shared is not None and shared.ended:
            del self._shared[settings]
            shared = None
        if shared is None:
            turn = asyncio.Event()
            making = self._connect(settings, options, deadline, turn)
            shared = self._shared[settings] = _Shared(self._loop.create_task(making), turn)
            # Whoever waited for it may be gone by then; asyncio would complain of an error that nobody heard.
            shared.task.add_done_callback(lambda task: task.cancelled() or task.exception())
        if shared.closing is not None:
            shared.closing.cancel()
            shared.closing = None
        return shared

    async def _connect(
        self, settings: Settings, options: Options, deadline: Deadline, turn: asyncio.Event
    ) -> SSHClientConnection:
        try:
            if settings.through is None:
                return await self._set_up(settings, options, deadline, turn, ())
            bastion = self._share(settings.through, options, deadline)
            bastion.users += 1
            leave = partial(self._leave, settings.through, bastion, session=False)
            try:
                with deadline.paused():
                    await bastion.turn.wait()
                connection = await self._set_up(settings, options, deadline, turn, await asyncio.shield(bastion.task))
            except BaseException:
                leave()
                raise
            self._loop.create_task(connection.wait_closed()).add_done_callback(lambda _: leave())
            return connection
        finally:
            turn.set()

    async def _set_up(
        self, settings: Settings, options: Options, deadline: Deadline, turn: asyncio.Event, tunnel: Any
    ) -> SSHClientConnection:
        import asyncssh

        name, port = settings.endpoint
        gate = self._gates.setdefault(settings.endpoint, asyncio.Semaphore(SET_UPS_AT_ONCE))
        pause = 0.1
        while True:
            with deadline.paused():
                await gate.acquire()
            turn.set()
            begun: list[SSHClientConnection] = []
            try:
                async with asyncio.timeout(max(0.01, deadline.left)):
                    return await asyncssh.connect(
                        name, port, tunnel=tunnel, client_factory=_greeted(begun), **options[settings]
                    )
            except socket.gaierror as error:  # here, where it is known whose name it is: it may be a bastion's
                raise explain(f"Could not resolve hostname {name}: {error.strerror}") from None
            except (asyncssh.ConnectionLost, ConnectionResetError, BrokenPipeError):
                # As sshd does past its MaxStartups, before it says its version; what comes later would come again.
                wait = pause * random.uniform(0.5, 1.5)  # noqa: S311 - only spreads retries in time
                if wait + 0.2 >= deadline.left or any(one.get_extra_info("server_version") for one in begun):
                    raise
            finally:
                gate.release()
            await asyncio.sleep(wait)
            pause = min(1.0, pause * 2)

    def close(self) -> None:
        """Close every connection and end the loop; a forked child leaves its parent's alone."""
        if os.getpid() != self.owner:
            return

        async def close() -> None:
            standing = []
            for settings, shared in [*self._shared.items(), *self._spent]:
                if shared.task.done() and not shared.ended:
                    standing.append(shared.task.result())
                self._drop(settings, shared)
            with suppress(TimeoutError):
                async with asyncio.timeout(3.0):
                    await asyncio.gather(*(one.wait_closed() for one in standing), return_exceptions=True)
            unfinished = asyncio.all_tasks() - {asyncio.current_task()}
            for task in unfinished:
                task.cancel()
            await asyncio.gather(*unfinished, return_exceptions=True)

        with suppress(NotYet):
            asyncio.run_coroutine_threadsafe(close(), self._loop).result(5.0)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(2.0)
        if not self._thread.is_alive():
            self._loop.close()


def _end(sessions: list[_Session]) -> None:
    for session in sessions:
        session.end()


def _greeted(begun: list[SSHClientConnection]) -> Callable[[], SSHClient]:
    """Makes what asyncssh tells of a connection; notes the connection, also where it never comes to stand."""
    import asyncssh

    class Greeted(asyncssh.SSHClient):
        def connection_made(self, conn: SSHClientConnection) -> None:
            begun.append(conn)

    return Greeted


class _Session:
    """One command on a host: asyncssh's callbacks, in the loop's thread, hand over to `read`, in the probe's."""

    def __init__(self, loop: asyncio.AbstractEventLoop, ended: Callable[[bool], None]) -> None:
        """`ended` is told whether its command may still run on the host."""
        self.channel: Any = None
        self._loop = loop
        self._ended: Callable[[bool], None] | None = ended
        self._unwanted = False
        self._queue: queue.SimpleQueue[tuple[float, bytes, bool] | None] = queue.SimpleQueue()
        self._held = 0
        self._lock = threading.Lock()
        self._lost: Exception | None = None

    # --- in the loop's thread ---

    def listener(self) -> SSHClientSession[bytes]:
        return _listener()(self)  # type: ignore[no-any-return]

    def opened(self, opening: asyncio.Task[Any]) -> None:
        if opening.cancelled() or opening.exception() is not None:
            self.lost(None)
            return
        self.channel, _ = opening.result()
        if self._unwanted:
            self.end()

    def send(self, script: bytes) -> None:
        with suppress(OSError):
            self.channel.write(script)
            self.channel.write_eof()

    def received(self, data: bytes, errors: bool) -> None:
        with self._lock:
            self._held += len(data)
            full = self._held > HELD_BYTES
        self._queue.put((time.monotonic(), data, errors))
        if full:
            self.channel.pause_reading()

    def lost(self, error: Exception | None) -> None:
        self._lost = error
        self._queue.put(None)
        self._over(spent=False)

    def end(self) -> None:
        self._unwanted = True
        if self.channel is not None:
            self.channel.abort()
            self._over(spent=True)

    def _over(self, *, spent: bool) -> None:
        ended, self._ended = self._ended, None
        if ended is not None:
            ended(spent)

    # --- in the probe's thread ---

    def read(self, sent: float, began: float, deadline: Deadline, sink: Callable[[bytes], None] | None) -> Finished:
        """Everything that the command says, until it ends, its output's bound or the deadline comes."""
        output, errors = bytearray(), bytearray()
        arrivals: list[tuple[int, float]] = []
        timed_out = overflowed = False
        while True:
            try:
                item = self._queue.get(timeout=max(0.0, deadline.left))
            except queue.Empty:
                if deadline.left > 0:  # it moves where this machine is busy
                    continue
                timed_out = True
                break
            if item is None:
                break
            moment, data, of_errors = item
            self._taken(len(data))
            into = errors if of_errors else output
            if sink is not None and not of_errors:
                sink(data)
                continue
            into += data[: MAX_OUTPUT - len(into)]
            if not of_errors:
                arrivals.append((len(output), sent + moment - began))
            if len(into) >= MAX_OUTPUT:
                overflowed = True
                break
        status = self.channel.get_exit_status()
        if status is None and not timed_out and not overflowed:
            errors += b"Connection closed by remote host"
        return Finished(
            status=255 if status is None else status,
            output=bytes(output),
            errors=bytes(errors),
            timed_out=timed_out,
            overflowed=overflowed,
            sent=sent,
            arrivals=tuple(arrivals),
        )

    def _taken(self, count: int) -> None:
        with self._lock:
            before = self._held
            self._held -= count
            resume = before > HELD_BYTES >= self._held
        if resume:
            self._loop.call_soon_threadsafe(self._resume)

    def _resume(self) -> None:
        with suppress(OSError):
            self.channel.resume_reading()


@cache
def _listener() -> Any:
    # Here, as asyncssh takes a tenth of a second to import.
    from asyncssh import EXTENDED_DATA_STDERR, SSHClientSession

    class Listener(SSHClientSession[bytes]):
        def __init__(self, session: _Session) -> None:
            self._session = session

        def data_received(self, data: bytes, datatype: int | None) -> None:
            self._session.received(data, datatype == EXTENDED_DATA_STDERR)

        def connection_lost(self, exc: Exception | None) -> None:
            self._session.lost(exc)

    return Listener


def _understood(error: Exception) -> ProbeError | LeftToOpenSSH:
    """What a connection that was not made means, in the words that are used of OpenSSH's own."""
    import asyncssh
    from asyncssh.constants import OPEN_ADMINISTRATIVELY_PROHIBITED

    if isinstance(error, (asyncssh.ConnectionLost, ConnectionResetError, BrokenPipeError)):
        return explain("Connection closed by remote host")
    if isinstance(error, asyncssh.ChannelOpenError) and error.code == OPEN_ADMINISTRATIVELY_PROHIBITED:
        return explain("administratively prohibited")
    if isinstance(error, (OSError, asyncssh.ChannelOpenError)):
        cause = explain(str(error))
        if not str(cause).startswith("it did not run the script"):
            return cause
    return LeftToOpenSSH(type(error).__name__)


_clients = PerProcess(Client)
client, close = _clients.get, _clients.close
