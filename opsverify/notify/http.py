"""One POST that ends: to a webhook, or to a watcher that waits for a ping.

No redirect is followed, as a message is for the place that the environment names and for no other. Proxies are those of
the environment's variables (HTTPS_PROXY, NO_PROXY): a channel often lies outside. A netrc file is not looked at.
"""

from __future__ import annotations

import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import urllib3

from opsverify.errors import ProbeError
from opsverify.notify.delivery import NotDelivered
from opsverify.probes.mark import AGENT
from opsverify.probes.tcp.transport import trusting

_PASSING = (408, 425, 429)
"""Refusals that say themselves that a later try may do (RFC 9110, RFC 8470, RFC 6585); so does any 5xx."""


def post(url: str, body: bytes, headers: Mapping[str, str], ca_file: Path | None, seconds: float) -> None:
    """Raises NotDelivered unless the answer is a 2xx. The reason holds nothing of the address."""
    sent = {"User-Agent": AGENT, **headers}
    try:
        with _pool(url, ca_file) as pool:
            answer = pool.request(
                "POST", url, body=body, headers=sent, timeout=urllib3.Timeout(connect=seconds, read=seconds),
                retries=False, redirect=False, preload_content=False,
            )  # fmt: skip
            answer.close()
    except urllib3.exceptions.SSLError:
        raise NotDelivered("its certificate could not be verified") from None
    except urllib3.exceptions.NewConnectionError:
        raise NotDelivered("nobody takes the connection") from None
    except urllib3.exceptions.TimeoutError:
        raise NotDelivered(f"no answer within {seconds:g} s") from None
    except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
        raise NotDelivered(f"the connection broke ({type(error).__name__})") from None
    except ProbeError as error:
        raise NotDelivered(str(error), passing=False) from None
    if 300 <= answer.status < 400:
        raise NotDelivered(f"it answered {answer.status}: redirects are not followed, name the new one", passing=False)
    if not 200 <= answer.status < 300:
        raise NotDelivered(f"it answered {answer.status}", passing=answer.status >= 500 or answer.status in _PASSING)


def _pool(url: str, ca_file: Path | None) -> Any:
    parts = urlsplit(url)
    context = trusting(ca_file) if parts.scheme == "https" else None
    proxy = urllib.request.getproxies().get(parts.scheme)
    if proxy and not urllib.request.proxy_bypass(parts.hostname or ""):
        return urllib3.ProxyManager(proxy, ssl_context=context)
    return urllib3.PoolManager(ssl_context=context)
