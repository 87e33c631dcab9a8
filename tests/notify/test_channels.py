"""Messages leave for real: by mail over SMTP, to a webhook, by a script; and whatever fails is said, without secrets."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import trustme

from opsverify.config.child_environment import withhold
from opsverify.config.notification import Channel, Notify
from opsverify.notify.channels import sending, unusable
from opsverify.notify.delivery import deliver
from opsverify.notify.heartbeat import Heartbeat
from opsverify.notify.message import Message
from opsverify.reporting.text import Redactor

from .conftest import Mailbox, Receiver

TOLD = Message("P1 My Cats: 1 new", "New:\nP1  api-health <b>blue</b> & *more*\n", {"kind": "findings", "title": "x"})
REDACTOR = Redactor(("s3cret-token",))


def send(channel: dict[str, Any], *, seconds: float = 20, attempts: int = 3) -> str:
    """Why it was not taken."""
    told = Channel.model_validate(channel)
    pauses = (0.01,) * (attempts - 1)
    return deliver({"it": sending(told, TOLD, seconds, REDACTOR)}, seconds, pauses)["it"]


# --- mail ----------------------------------------------------------------------------------------------------------


def test_a_mail_arrives_as_plain_text(mailbox: Callable[..., Mailbox]) -> None:
    box = mailbox()
    url = f"mailto://127.0.0.1:{box.port}?from=verify@example.com&to=team@example.com&format=html"
    assert send({"apprise": url}) == ""
    (mail,) = box.mails
    assert mail["Subject"] == TOLD.title
    assert mail["To"] == "team@example.com"
    (part,) = [part for part in mail.walk() if not part.is_multipart()]
    assert part.get_content_type() == "text/plain"
    assert part.get_content().splitlines()[1] == "P1  api-health <b>blue</b> & *more*"


def test_a_mail_goes_over_tls_with_a_login_whose_password_is_encoded(
    mailbox: Callable[..., Mailbox], ca: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    box = mailbox(ca, "p@ss/s3cret")
    url = "mailtos://verify:p%40ss%2Fs3cret@localhost:{}?from=verify@example.com&to=team@example.com&mode=starttls"
    assert send({"apprise": url.format(box.port)}, attempts=1) != ""  # nobody vouches for its certificate
    assert box.logins == []
    ca.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    assert send({"apprise": url.format(box.port)}, attempts=1) == ""
    assert box.logins == [("verify", "p@ss/s3cret")]
    assert len(box.mails) == 1


def test_a_mail_server_that_is_not_there_is_told_without_the_login() -> None:
    reason = send({"apprise": "mailto://verify:s3cret-token@127.0.0.1:1?from=a@example.com&to=b@example.com"})
    assert reason.startswith("Apprise: ")
    assert "s3cret-token" not in reason


def test_an_address_that_apprise_does_not_know_is_told_before_a_run() -> None:
    channels = {
        "a": {"apprise": "mailto://h?from=v@example.com&to=a@example.com"},
        "b": {"apprise": "nosuch://s3cret-token/x"},
    }
    notify = Notify.model_validate({"channels": {**channels, "c": {"script": "/nowhere"}}})
    assert [name for name, _ in unusable(notify)] == ["b"]
    assert send({"apprise": "nosuch://s3cret-token/x"}) == "Apprise does not understand its URL"


# --- webhook -------------------------------------------------------------------------------------------------------


def test_a_webhook_gets_json_with_the_headers(receive: Callable[..., Receiver]) -> None:
    there = receive()
    assert send({"webhook": f"{there.address}/hook", "headers": {"X-Key": "k"}}) == ""
    ((_, path, _, headers),) = there.asked
    assert path == "/hook"
    assert headers["X-Key"] == "k"
    assert headers["Content-Type"] == "application/json"
    assert there.bodies == [TOLD.body]


@pytest.mark.parametrize(
    ("answers", "tries", "reason"),
    [
        ((500, 200), 2, ""),
        ((429, 503, 204), 3, ""),
        ((503,), 3, "it answered 503"),
        ((404,), 1, "it answered 404"),
        ((302,), 1, "it answered 302: redirects are not followed, name the new one"),
    ],
)
def test_what_may_pass_is_tried_again_a_few_times(
    receive: Callable[..., Receiver], answers: tuple[int, ...], tries: int, reason: str
) -> None:
    there = receive(*answers)
    assert send({"webhook": f"{there.address}/hook"}) == reason
    assert there.paths == ["/hook"] * tries


def test_one_that_hangs_holds_up_nobody(receive: Callable[..., Receiver]) -> None:
    hanging, well = receive(0), receive()
    channels = {name: Channel.model_validate({"webhook": f"{one.address}/s3cret-token"})
                for name, one in (("hanging", hanging), ("well", well))}  # fmt: skip
    began = time.monotonic()
    sendings = {name: sending(one, TOLD, 0.5, REDACTOR) for name, one in channels.items()}
    assert deliver(sendings, 0.5, (0.01,)) == {"hanging": "no answer within 0.5 s", "well": ""}
    assert len(well.asked) == 1
    assert time.monotonic() - began < 30


def test_a_certificate_is_verified(receive: Callable[..., Receiver], ca: trustme.CA, tmp_path: Path) -> None:
    there = receive(ca=ca)
    assert send({"webhook": there.address}, attempts=1) == "its certificate could not be verified"
    ca.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    assert send({"webhook": there.address, "ca_file": str(tmp_path / "ca.pem")}, attempts=1) == ""
    missing = send({"webhook": there.address, "ca_file": str(tmp_path / "no.pem")})
    assert missing.endswith("is missing or holds no certificate")


def test_nobody_there_is_told_without_the_address() -> None:
    assert send({"webhook": "http://127.0.0.1:1/s3cret-token"}, attempts=1) == "nobody takes the connection"


# --- script --------------------------------------------------------------------------------------------------------


def test_a_script_is_called_with_the_message(script: Path) -> None:
    assert send({"script": str(script)}) == ""
    assert Path(f"{script}.sent").read_text() == f"{TOLD.whole}\n---\n"


def test_a_script_gets_no_secret_of_the_environment(script: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OURS", "hunter2-of-the-suite")
    withhold(["hunter2-of-the-suite"])
    script.write_text('#!/bin/sh\nenv >"$0.env"\n')
    assert send({"script": str(script)}) == ""
    assert "hunter2" not in Path(f"{script}.env").read_text()
    assert "PATH=" in Path(f"{script}.env").read_text()


def test_a_script_that_fails_is_tried_again_and_says_why(script: Path) -> None:
    script.write_text('#!/bin/sh\necho once >>"$0.runs"\necho "no route for s3cret-token" >&2\nexit 3\n')
    assert send({"script": str(script)}) == f"{script} ended with 3: no route for •••"
    assert Path(f"{script}.runs").read_text() == "once\n" * 3


def test_a_script_that_never_ends_leaves_nothing_behind(script: Path) -> None:
    script.write_text('#!/bin/sh\necho $$ >"$0.pid"\nexec sleep 600\n')
    assert "within" in send({"script": str(script)}, seconds=1, attempts=1)
    pid = int(Path(f"{script}.pid").read_text())
    for _ in range(300):
        if not os.path.exists(f"/proc/{pid}"):
            break
        time.sleep(0.1)
    assert not os.path.exists(f"/proc/{pid}")


def test_a_script_that_is_not_there_is_no_bug() -> None:
    assert send({"script": "/nowhere/send-alert.sh"}) == (
        "/nowhere/send-alert.sh could not be started (No such file or directory)"
    )


# --- heartbeat -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("code", "last"), [(0, "/ping/1234"), (1, "/ping/1234/fail"), (2, "/ping/1234/fail")])
def test_a_watcher_hears_the_start_and_the_end(receive: Callable[..., Receiver], code: int, last: str) -> None:
    there = receive(500, 200)
    heartbeat = Heartbeat(f"{there.address}/ping/1234", pauses=(0.01,))
    heartbeat.start()
    assert heartbeat.finish(code) == ""
    assert there.paths == ["/ping/1234/start", "/ping/1234/start", last]


def test_a_watcher_that_does_not_take_it_is_told(receive: Callable[..., Receiver]) -> None:
    there = receive(404)
    heartbeat = Heartbeat(f"{there.address}/ping", pauses=(0.01,))
    heartbeat.start()
    assert heartbeat.finish(0) == "it answered 404"
