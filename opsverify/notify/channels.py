"""How a message leaves: by Apprise, to a webhook, or by a script of this machine."""

from __future__ import annotations

import json
import logging
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from opsverify.config.child_environment import child_environment
from opsverify.config.notification import Channel, Notify
from opsverify.notify.delivery import NotDelivered
from opsverify.notify.message import Message
from opsverify.reporting.text import Redactor

INSTALL = "pip install -r requirements-notify.txt"
_LONGEST_ARGUMENT = 100_000
"""Linux takes 128 KiB (MAX_ARG_STRLEN), and a character may take four bytes; no message comes near."""


def sending(channel: Channel, message: Message, seconds: float, redactor: Redactor) -> Callable[[], None]:
    """A function that sends it once, or raises NotDelivered."""
    if channel.apprise is not None:
        url = channel.apprise.get_secret_value()
        return lambda: _by_apprise(url, message, redactor)
    if channel.webhook is not None:
        address = channel.webhook.get_secret_value()
        headers = {name: value.get_secret_value() for name, value in channel.headers.items()}
        return lambda: _to_webhook(address, headers, channel, message, seconds)
    script = channel.script or ""
    return lambda: _by_script(script, message, seconds, redactor)


def unusable(notify: Notify) -> Iterator[tuple[str, str]]:
    """Channels that can send nothing, each with what is allowed: told before the run, and not with the first alarm."""
    for name, channel in notify.channels.items():
        if channel.apprise is None:
            continue
        try:
            with _words():
                known = _instance(channel.apprise.get_secret_value())
        except ImportError:
            yield name, f"Apprise to be installed: {INSTALL}"
        else:
            if known is None:
                yield name, "a URL that Apprise understands, see its documentation"


def _instance(url: str) -> Any:
    with warnings.catch_warnings():  # of its dozens of modules, which import others that Python will drop
        warnings.simplefilter("ignore")
        import apprise

        asset = apprise.AppriseAsset(app_id="opsverify", app_desc="operational verification", async_mode=False)
        plugin = apprise.Apprise.instantiate(url, asset=asset, suppress_exceptions=True)
    if plugin:
        # Whatever the URL says: text is shown as it stands, and its end rather than all of it is given up.
        plugin.notify_format = apprise.NotifyFormat.TEXT
        plugin.overflow_mode = apprise.OverflowMode.TRUNCATE
    return plugin or None


def _by_apprise(url: str, message: Message, redactor: Redactor) -> None:
    with _words() as words:
        plugin = _instance(url)
        if plugin is None:
            raise NotDelivered("Apprise does not understand its URL", passing=False)
        import apprise

        sender = apprise.Apprise(plugin)
        taken = sender.notify(body=message.text, title=message.title, body_format=apprise.NotifyFormat.TEXT)
    if not taken:
        said = redactor.printable(" ".join(words[-1:]).replace(url, "•••"), 200)
        raise NotDelivered(f"Apprise: {said or 'not taken'}")


@contextmanager
def _words() -> Iterator[list[str]]:
    """What Apprise logs in this thread meanwhile: the only place where it says why. It reaches no other log."""
    heard: list[str] = []
    own = threading.get_ident()

    class Ear(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if record.thread == own and record.levelno >= logging.WARNING:
                heard.append(record.getMessage())

    logger, ear = logging.getLogger("apprise"), Ear()
    logger.propagate = False
    logger.addHandler(ear)
    try:
        yield heard
    finally:
        logger.removeHandler(ear)


def _to_webhook(url: str, headers: dict[str, str], channel: Channel, message: Message, seconds: float) -> None:
    from opsverify.notify.http import post

    body = json.dumps(message.body, ensure_ascii=False).encode()
    post(url, body, {"Content-Type": "application/json", **headers}, channel.ca_file, seconds)


def _by_script(path: str, message: Message, seconds: float, redactor: Redactor) -> None:
    from opsverify.probes.host.run import run

    try:
        done = run(
            [path, message.whole[:_LONGEST_ARGUMENT].replace("\0", "")], seconds, env=child_environment(),
            max_output=64 * 1024, daemonizes=True,
        )  # fmt: skip
    except OSError as error:
        raise NotDelivered(f"{path} could not be started ({error.strerror})", passing=False) from None
    if done.timed_out:
        raise NotDelivered(f"{path} did not end within {seconds:g} s")
    if done.status:
        said = redactor.printable(done.errors.decode("utf-8", "replace"), 200)
        raise NotDelivered(f"{path} ended with {done.status}{f': {said}' if said else ''}")
