"""What runs the probes of a run at the same time."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any


class DaemonThreads(Executor):
    """One daemon thread per call.

    `ThreadPoolExecutor` joins its threads when the interpreter ends, so one call stuck in the kernel (a resolver, a
    dead network mount) would keep a finished run from exiting. These threads never do.
    """

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()

        def run() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                result = fn(*args, **kwargs)
            except BaseException as error:
                future.set_exception(error)
            else:
                future.set_result(result)

        threading.Thread(target=run, daemon=True, name=f"probe-{getattr(fn, '__name__', 'call')}").start()
        return future
