"""The rehearsal: a stand-in My Cats made of real parts, to run against anywhere, whole or broken on purpose.

A real PostgreSQL, a real git checkout, real Node.js processes behind a real TLS proxy, real dumps, real logs;
all of it below one temporary folder, on 127.0.0.1, gone again afterwards. Two ways to use it::

    running = rehearsal.ensure()      # attach to the one that is up, or start an own one
    running.variables["REHEARSAL_PUBLIC_URL"]
    running.stop()

    with rehearsal.private() as whole:    # in this process, to break single parts
        whole.backends["blue"].restart(JWT_SECRET="short")

On the command line: `python -m rehearsal serve`. Importing this package loads nothing else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from rehearsal.attach import Running
    from rehearsal.whole import Rehearsal

__all__ = ["ensure", "private"]


def ensure() -> Running:
    """Return a rehearsal that is up: the served one, or an own one that ends with `stop()` or this process.

    Raises `rehearsal.errors.RehearsalError` within 60 seconds, with the tail of the failing part's log.
    """
    from rehearsal.attach import ensure as ensure_one

    return ensure_one()


def private() -> AbstractContextManager[Rehearsal]:
    """Run a rehearsal of this process's own, whose parts it may stop, freeze, restart and break.

    In a child process with `REHEARSAL_ATTACH=<the rehearsal's root>` in its environment, `ensure()` attaches
    to it.
    """
    from contextlib import contextmanager

    @contextmanager
    def run() -> Iterator[Rehearsal]:
        from rehearsal.roots import Root
        from rehearsal.whole import Rehearsal

        with Root.create() as root:
            whole = Rehearsal(root.path)
            try:
                whole.start()
                yield whole
            finally:
                whole.stop()

    return run()
