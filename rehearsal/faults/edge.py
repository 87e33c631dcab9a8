"""What users meet: certificates, headers, slow and failing answers, ports that are open to everybody."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING

from rehearsal.faults.database import run
from rehearsal.faults.doing import backend, users_come
from rehearsal.faults.fault import ALERT, BLOCKED, WARNING, fault

if TYPE_CHECKING:
    from rehearsal.parts.proxy import Certificate
    from rehearsal.whole import Rehearsal

UNTRUSTED = {
    "certificate-trust[public]": ALERT,
    "frontend-reachable[public]": ALERT,
    "public-api[public]": ALERT,
    "security-headers[public]": BLOCKED,
    "traffic-slot[public]": BLOCKED,
}


def _serving(whole: Rehearsal, certificate: Certificate) -> Iterator[None]:
    before = whole.proxy.certificate
    whole.proxy.serve(certificate)
    yield
    whole.proxy.serve(before)
    for file in (certificate.chain, certificate.key):
        file.unlink()


@fault(
    "The public name leads elsewhere, as after a mistake in its zone.",
    {"name-resolves[public]": ALERT},
    changes={"names": {"public": {"addresses": ["192.0.2.1"]}}},
)
def name_leads_elsewhere(whole: Rehearsal) -> Iterator[None]:
    yield


@fault("The certificate expired yesterday.", {**UNTRUSTED, "certificate-expiry[public]": ALERT})
def certificate_expired(whole: Rehearsal) -> Iterator[None]:
    yield from _serving(whole, whole.proxy.authority.issue("bad", starts=timedelta(days=-90), ends=timedelta(days=-1)))


@fault("The certificate expires in three weeks.", {"certificate-expiry[public]": WARNING})
def certificate_expires_soon(whole: Rehearsal) -> Iterator[None]:
    yield from _serving(whole, whole.proxy.authority.issue("bad", ends=timedelta(days=21)))


@fault("The certificate is for another name.", UNTRUSTED)
def certificate_of_another_name(whole: Rehearsal) -> Iterator[None]:
    yield from _serving(whole, whole.proxy.authority.issue("bad", names=("other.example.com",)))


@fault("The certificate is issued by an authority that nobody knows.", UNTRUSTED)
def certificate_untrusted(whole: Rehearsal) -> Iterator[None]:
    yield from _serving(whole, whole.proxy.authority.issue("bad", untrusted=True))


@fault("The proxy sends no security headers.", {"security-headers[public]": ALERT})
def headers_missing(whole: Rehearsal) -> Iterator[None]:
    whole.proxy.restart(security_headers=False)
    yield
    whole.proxy.restart(security_headers=True)


@fault(
    "The proxy answers /health by itself, and /api/ leads nowhere.",
    {"public-api[public]": ALERT, "traffic-slot[public]": ALERT},
)
def api_not_behind_the_proxy(whole: Rehearsal) -> Iterator[None]:
    whole.proxy.restart(static_health=True)
    yield
    whole.proxy.restart(static_health=False)


@fault("Plain http is served instead of being led to https.", {"security-headers[public]": ALERT})
def http_not_redirected(whole: Rehearsal) -> Iterator[None]:
    whole.proxy.restart(redirect_http=False)
    yield
    whole.proxy.restart(redirect_http=True)


@fault(
    "The idle backend listens on every address of the host.",
    # An alert where one of them is a public one.
    {"exposed-ports[here]": f"{WARNING} or {ALERT}"},
)
def port_open_to_all(whole: Rehearsal) -> Iterator[None]:
    with backend(whole, "green", HOST="0.0.0.0"):
        yield


@fault(
    "The API is slow: every query of it waits for more than half a second.",
    {"api-response-time[blue]": WARNING, "cats-response-time[blue]": WARNING},
)
def api_slow(whole: Rehearsal) -> Iterator[None]:
    psql = whole.layout.root / "slow-psql"
    psql.write_text(f'#!/bin/sh\nsleep 0.6\nexec {whole.backends["blue"].env["PSQL"]} "$@"\n')
    psql.chmod(0o755)
    with backend(whole, PSQL=str(psql)):
        yield
    psql.unlink()


@fault(
    "The API answers 500: the backend's role lost its rights on a table.",
    {
        "access-log-server-errors[access]": WARNING,
        "api-smoke[blue]": ALERT,
        "application-log-errors[application]": ALERT,
        "public-api[public]": ALERT,
    },
)
def api_fails(whole: Rehearsal) -> Iterator[None]:
    run(whole, "REVOKE SELECT ON pedigrees FROM mycats")
    users_come(whole)
    yield
    run(whole, "GRANT SELECT ON pedigrees TO mycats")


CLOCK = """
const { ServerResponse } = require('node:http');
const writeHead = ServerResponse.prototype.writeHead;
ServerResponse.prototype.writeHead = function (...given) {
  this.setHeader('Date', new Date(Date.now() - 60_000).toUTCString());
  return writeHead.apply(this, given);
};
"""


@fault("The API's clock is a minute slow.", {"clock-skew[blue]": ALERT})
def api_clock_off(whole: Rehearsal) -> Iterator[None]:
    late = whole.layout.root / "late.js"
    late.write_text(CLOCK)
    with backend(whole, NODE_OPTIONS=f"--require={late}"):
        yield
    late.unlink()
