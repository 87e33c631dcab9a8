"""Servers that misbehave cost one question, a bounded time and a bounded memory, and are named in one sentence."""

from __future__ import annotations

import gzip
import json
import resource
import socket
import threading
import time
import traceback
from typing import Any

import pytest

from opsverify.config.environment import Api
from opsverify.errors import ProbeError, Unanswered, Unreachable
from opsverify.evidence.deadline import Deadline
from opsverify.probes.http.data import Cats, Smoke
from opsverify.probes.http.health import Health
from opsverify.probes.http.probe import probe as http_probe
from opsverify.probes.http.redirect import Redirect
from tests.pace import AMPLE, SOON, slowed

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


def probe(url: str, *questions: Any, seconds: float = AMPLE, **more: Any) -> dict[Any, Any]:
    api = Api.model_validate({"name": "main", "url": url, "samples": 1, **more})
    return http_probe(api, frozenset(questions or [Health()]), Deadline(seconds))


def fails(url: str, **more: Any) -> str:
    """The sentence with which a probe of the health path fails, within its deadline."""
    began = time.monotonic()
    try:
        (answer,) = probe(url, **more).values()
    except Unreachable as error:
        answer = error
    assert isinstance(answer, ProbeError), answer
    assert time.monotonic() - began < SOON
    return str(answer)


def test_refused(closed_port: int) -> None:
    with pytest.raises(Unreachable) as caught:
        probe(f"http://127.0.0.1:{closed_port}", Health(), Smoke(), Cats())
    assert str(caught.value) == f"http://127.0.0.1:{closed_port}: connection refused"
    with pytest.raises(Unreachable):
        probe(f"http://127.0.0.1:{closed_port}", Health(), Redirect(f"http://127.0.0.1:{closed_port}/"))


def test_a_name_that_does_not_exist() -> None:
    assert fails("http://no-such-host.invalid:3004", seconds=AMPLE) == (
        "http://no-such-host.invalid:3004: its name could not be resolved"
    )


def test_a_silent_socket(silent_port: int) -> None:
    with pytest.raises(Unreachable, match=r"^http://127\.0\.0\.1:\d+: no answer within 0\.5 s$"):
        probe(f"http://127.0.0.1:{silent_port}", Health(), Smoke(), seconds=0.5)


def test_a_silent_socket_under_https(silent_port: int) -> None:
    assert fails(f"https://127.0.0.1:{silent_port}", seconds=0.6).endswith("no answer within 0.6 s")


def test_http_on_an_https_address(site: Any) -> None:
    site.answer("/health", "{}")
    message = fails(site.url.replace("http:", "https:"))
    assert message.startswith("https://127.0.0.1:")
    assert message.endswith("does not speak TLS")


@pytest.mark.parametrize(
    ("pieces", "forever"),
    [
        ((b"HTTP/1.1 200 OK\r\n", b"X-A: 1\r\n"), True),
        ((b"H",), True),
        ((HEAD + b"Content-Length: 1000\r\n\r\n", b"{"), True),
        ((HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n{\r\n"), True),
    ],
    ids=["headers", "status-line", "body", "chunks"],
)
def test_a_dripping_server(site: Any, pieces: tuple[bytes, ...], forever: bool) -> None:
    first, rest = pieces[0], pieces[1:] or pieces
    site.routes["/health"] = lambda request: _drip(request, first, rest)
    message = fails(site.url, seconds=0.6)
    assert message.endswith("no answer within 0.6 s"), message


def _drip(request: Any, first: bytes, rest: tuple[bytes, ...]) -> None:
    request.close_connection = True
    request.wfile.write(first)
    for _ in range(6000):
        time.sleep(0.1)
        for piece in rest:
            request.wfile.write(piece)


def test_an_endless_body_is_read_to_the_limit(site: Any) -> None:
    site.raw("/health", HEAD + b"\r\n" + b"x" * 65536, b"x" * 65536, forever=True)
    health = probe(site.url, seconds=AMPLE)[Health()]
    assert health.status == 200
    assert not health.is_api_json
    assert len(health.excerpt) <= 300


def test_an_endless_chunk_size_line_does_not_fill_memory(site: Any) -> None:
    def handle(request: Any) -> None:
        request.close_connection = True
        request.wfile.write(HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
        while True:
            request.wfile.write(b"1" * 65536)

    site.routes["/health"] = handle
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert "broke off" in fails(site.url, seconds=AMPLE) or "not usable HTTP" in fails(site.url, seconds=AMPLE)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 60_000


def test_a_gzip_bomb_is_stopped(site: Any) -> None:
    bomb = gzip.compress(b"0" * 200_000_000, 9)
    site.answer("/health", bomb, Content_Encoding="gzip")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    health = probe(site.url, seconds=AMPLE)[Health()]
    assert not health.is_api_json
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 60_000


def test_broken_gzip(site: Any) -> None:
    site.answer("/health", b"this is no gzip", Content_Encoding="gzip")
    assert fails(site.url).endswith("the answer's compressed body is broken")


def test_a_redirect_loop(site: Any) -> None:
    site.answer("/health", "", status=302, Location="/health")
    assert fails(site.url, seconds=AMPLE).endswith("more than 5 redirects")
    assert len(site.requests) == 6


def test_a_redirect_with_an_endless_body(site: Any) -> None:
    head = b"HTTP/1.1 302 Found\r\nLocation: /well\r\n\r\n"
    site.raw("/health", head + b"x" * 65536, *[b"x" * 65536] * 10, forever=True)
    site.answer("/well", "{}")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert probe(site.url, seconds=AMPLE)[Health()].status == 200
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 60_000


@pytest.mark.parametrize("location", ["file:///etc/passwd", "http://[", "ftp://x/", "http://h:99999/"])
def test_a_redirect_to_no_web_address(site: Any, location: str) -> None:
    site.answer("/health", "", status=302, Location=location)
    assert "redirects to something that is no" in fails(site.url)


def test_a_redirect_elsewhere_takes_no_secret_along(site: Any) -> None:
    site.answer("/api/v1/cats", "", status=307, Location=f"http://localhost:{site.port}/elsewhere")
    site.answer("/elsewhere", "{}")
    answers = probe(site.url, Cats(), seconds=AMPLE, token="t0ken", headers={"X-Key": "k3y"})
    assert answers[Cats()].status == 200
    assert site.requests[-1][1] == "/elsewhere"
    assert not {"Authorization", "X-Key"} & set(site.requests[-1][2])


def test_a_body_that_breaks_off(site: Any) -> None:
    site.raw("/health", HEAD + b"Content-Length: 100\r\n\r\n{")
    assert fails(site.url).endswith("the answer broke off before its end")


def test_closed_without_an_answer(site: Any) -> None:
    site.raw("/health")
    assert fails(site.url).endswith("the connection was closed without an answer")


@pytest.mark.parametrize(
    "answer",
    [
        b"SSH-2.0-OpenSSH_9.2\r\n",
        HEAD + b"X-Big: " + b"x" * 100_000 + b"\r\n\r\n{}",
        HEAD + b"".join(b"X-%d: 1\r\n" % n for n in range(500)) + b"\r\n{}",
        b"HTTP/1.1 nonsense\r\n\r\n",
    ],
    ids=["ssh", "huge-header", "many-headers", "no-status"],
)
def test_no_usable_http(site: Any, answer: bytes) -> None:
    site.raw("/health", answer)
    message = fails(site.url, seconds=2)
    assert "not usable HTTP" in message, message


def test_one_failing_question_costs_only_itself(site: Any) -> None:
    site.raw("/health", HEAD + b"\r\n", b" ", pause=0.1, forever=True)
    site.answer("/api/v1/pedigrees", json.dumps({"success": True, "data": [], "meta": {}}))
    answers = probe(site.url, Health(), Smoke(), "what is this?", seconds=0.8)
    assert answers[Smoke()].status == 200
    assert type(answers[Health()]) is Unanswered
    assert answers[Health()].waited_seconds > 0
    assert str(answers[Health()]).endswith("no answer within 0.8 s")
    assert "knows no question str" in str(answers["what is this?"])


def test_proxies_and_netrc_of_the_environment_are_ignored(
    site: Any, closed_port: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("default login me password n3trc\n")
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{closed_port}")
    monkeypatch.setenv("NETRC", str(netrc))
    site.answer("/health", "{}")
    assert probe(site.url)[Health()].status == 200
    assert "Authorization" not in site.requests[0][2]


@pytest.mark.parametrize("token", ["pl4nted\r\nX: y", "pl4nted-…", " pl4nted"])
def test_a_token_that_http_cannot_carry_is_not_quoted(site: Any, token: str) -> None:
    site.answer("/api/v1/cats", "{}")
    answer = probe(site.url, Cats(), token=token)[Cats()]
    if isinstance(answer, ProbeError):
        shown = str(answer) + repr(answer) + "".join(traceback.format_exception(answer))
        assert "pl4nted" not in shown
        assert "characters that HTTP does not allow" in str(answer)


def test_no_thread_and_no_socket_is_left(site: Any, silent_port: int) -> None:
    before = set(threading.enumerate())  # tests of other files may have left theirs
    site.answer("/health", "{}")
    probe(site.url)
    with pytest.raises(Unreachable):
        probe(f"http://127.0.0.1:{silent_port}", seconds=0.3)
    left = set(threading.enumerate()) - before
    assert [t.name for t in left if t.name.startswith(("resolve", "Timer", "ThreadPool"))] == []


def test_requests_keep_their_distance(site: Any) -> None:
    site.answer("/health", "{}")
    moments: list[float] = []
    answer = site.routes["/health"]
    site.routes["/health"] = lambda request: (moments.append(time.monotonic()), answer(request))[1]
    probe(site.url, seconds=AMPLE, samples=4)
    assert len(moments) == 4
    # A tenth of a second each; what a busy machine holds up arrives closer to the next.
    assert moments[-1] - moments[0] > 0.2


def test_an_address_without_a_route() -> None:
    with socket.socket(socket.AF_INET6) as sock:
        sock.settimeout(0.2)
        try:
            sock.connect(("2001:db8::1", 9))
        except OSError:
            pass
        else:
            pytest.skip("this machine has a route to the documentation prefix")
    message = fails("http://[2001:db8::1]:3004")
    assert message.startswith("http://[2001:db8::1]:3004: ")


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        HEAD + b"Content-Length: 100\r\n\r\n{",
        b"HTTP/1.1 302 Found\r\nLocation: /health\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nLocation: ftp://x/\r\nContent-Length: 0\r\n\r\n",
    ],
    ids=["closed", "ssh", "cut", "loop", "elsewhere"],
)
def test_what_takes_the_question_and_is_no_use_is_unanswered(site: Any, answer: bytes) -> None:
    site.raw("/health", answer)
    site.answer("/api/v1/pedigrees", "{}")
    health = probe(site.url, Health(), Smoke())[Health()]
    assert isinstance(health, Unanswered)
    assert health.waited_seconds is None


def test_silence_is_unanswered_and_a_closed_port_is_not(silent_port: int, closed_port: int) -> None:
    with pytest.raises(Unanswered) as caught:
        probe(f"http://127.0.0.1:{silent_port}", Health(), Smoke(), seconds=0.5)
    assert caught.value.waited_seconds is not None
    assert 0 < caught.value.waited_seconds < SOON
    for url in (f"http://127.0.0.1:{closed_port}", "http://no-such-host.invalid:3004"):
        with pytest.raises(Unreachable) as refused:
            probe(url, Health(), Smoke())
        assert not isinstance(refused.value, Unanswered)


def test_samples_that_would_outlast_the_deadline_are_left_out(site: Any) -> None:
    def slow(request: Any) -> None:
        time.sleep(0.6 * seconds)
        well(request)

    site.answer("/health", "{}")
    well = site.routes["/health"]
    site.routes["/health"] = slow
    seconds = slowed(2.0)
    assert len(probe(site.url, Health(), seconds=seconds, samples=10)[Health()].timings) == 1
