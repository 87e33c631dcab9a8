"""Processes that are gone, hang, or are another's."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

from rehearsal.faults.doing import age, users_come
from rehearsal.faults.fault import ALERT, BLOCKED, UNDETERMINED, WARNING, fault

if TYPE_CHECKING:
    from rehearsal.whole import Rehearsal

API_GONE = {
    "api-health[blue]": ALERT,
    "api-health-database[blue]": BLOCKED,
    "api-response-time[blue]": BLOCKED,
    "api-smoke[blue]": BLOCKED,
    "cats-response-time[blue]": BLOCKED,
    "clock-skew[blue]": BLOCKED,
    "cors-behaviour[blue]": BLOCKED,
    "node-env[blue]": BLOCKED,
    "public-api[public]": ALERT,
}


NOTHING_RUNS = {
    "node-version[backend-blue]": BLOCKED,
    "supported-versions[backend-blue]": BLOCKED,
}
"""On which Node.js a dead process runs, nobody can say."""


@fault(
    "The backend of the active slot was stopped.",
    {
        **API_GONE,
        "access-log-server-errors[access]": WARNING,
        **NOTHING_RUNS,
        "listening-port[backend-blue]": ALERT,
        "service-active[backend-blue]": ALERT,
        "traffic-slot[public]": ALERT,
    },
)
def backend_stopped(whole: Rehearsal) -> Iterator[None]:
    whole.backends["blue"].stop()
    users_come(whole)
    yield
    whole.backends["blue"].start()


@fault(
    "The backend of the active slot hangs: it accepts connections and answers none.",
    {
        **API_GONE,
        "api-response-time[blue]": ALERT,
        "cats-response-time[blue]": ALERT,
        "traffic-slot[public]": ALERT,
    },
)
def backend_hangs(whole: Rehearsal) -> Iterator[None]:
    whole.backends["blue"].freeze()
    yield
    whole.backends["blue"].thaw()


@fault(
    "The backend died, and a static page that says OK is served on its port.",
    {
        "api-health[blue]": ALERT,
        "api-health-database[blue]": UNDETERMINED,
        "api-response-time[blue]": UNDETERMINED,
        "api-smoke[blue]": ALERT,
        "cats-response-time[blue]": ALERT,
        "cors-behaviour[blue]": ALERT,
        "node-env[blue]": UNDETERMINED,
        "public-api[public]": ALERT,
        **NOTHING_RUNS,
        "listening-port[backend-blue]": ALERT,
        "service-active[backend-blue]": ALERT,
        "traffic-slot[public]": ALERT,
    },
)
def health_is_static(whole: Rehearsal) -> Iterator[None]:
    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = b"<!DOCTYPE html><title>OK</title>OK"
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_OPTIONS = do_GET

        def log_message(self, *unused: object) -> None:
            pass

    backend = whole.backends["blue"]
    backend.kill()
    server = ThreadingHTTPServer(("127.0.0.1", backend.port), Page)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    yield
    server.shutdown()
    server.server_close()
    backend.start()


FRONTEND_GONE = {
    "access-log-server-errors[access]": WARNING,
    "frontend-reachable": ALERT,
    "listening-port[frontend-blue]": ALERT,
    "security-headers[public]": UNDETERMINED,
    "service-active[frontend-blue]": ALERT,
}


@fault(
    "The front end of the active slot was stopped.",
    FRONTEND_GONE,
)
def frontend_stopped(whole: Rehearsal) -> Iterator[None]:
    whole.frontends["blue"].stop()
    users_come(whole, "/")
    yield
    whole.frontends["blue"].start()


@fault(
    "The proxy was stopped.",
    {
        "certificate-expiry[public]": BLOCKED,
        "certificate-trust[public]": BLOCKED,
        "frontend-reachable[public]": ALERT,
        "public-api[public]": ALERT,
        "security-headers[public]": BLOCKED,
        "service-active[proxy]": ALERT,
        "traffic-slot[public]": BLOCKED,
    },
)
def proxy_stopped(whole: Rehearsal) -> Iterator[None]:
    whole.proxy.stop()
    yield
    whole.proxy.start()


@fault("The front end crashed, and the number in its pid file is another process's by now.", FRONTEND_GONE)
def pid_file_stale(whole: Rehearsal) -> Iterator[None]:
    frontend = whole.frontends["blue"]
    frontend.kill()
    frontend.pid_file.write_text(f"{whole.proxy.pid}\n")
    age(frontend.pid_file, 1)
    users_come(whole, "/")
    yield
    frontend.start()
