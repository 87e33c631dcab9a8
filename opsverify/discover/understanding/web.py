"""Addresses that users come by: those that were given, else those of nginx's configuration."""

from __future__ import annotations

import ipaddress
from typing import Any
from urllib.parse import urlsplit

from opsverify.discover.draft import Draft, Entry
from opsverify.discover.seen import HostSeen, Seen, WebSeen
from opsverify.probes.host.surroundings.nginx import Site

_LOGIN = (
    "an account that may read: every data endpoint wants a login\n"
    'login: {username: verify@mycats.example.com, password: "${MYCATS_LOGIN_PASSWORD}"}'
)


def understand(seen: Seen, draft: Draft) -> None:
    """APIs, front ends, proxies, names and certificates."""
    for number, one in enumerate(seen.webs):
        _given(one, "public" if number == 0 else f"public{number + 1}", draft)
    if not seen.webs:
        _of_nginx(seen, draft)


def _given(one: WebSeen, name: str, draft: Draft) -> None:
    parts = urlsplit(one.url)
    answers = {path.path: path for path in one.paths.paths} if one.paths else {}
    api = next((path for path in answers.values() if path.is_api and path.status < 500), None)
    page = answers.get("/")
    is_page = bool(page and (page.is_next or (page.media_type == "text/html" and page.status < 400)))
    if api or not is_page:
        entry = Entry("apis", "main" if name == "public" else name, {"url": one.url})
        if api:
            entry.found = f"{api.path} answers {api.status} as {api.service}" + (
                f", environment {api.environment}" if api.environment else "")  # fmt: skip
            if api.path != "/health":
                entry.body["health_path"] = api.path
            if api.environment not in ("", "production"):
                entry.missing.append(f"at the top, where it is meant to be so:\nnode_env: {api.environment}")
            if not api.knows_database:
                entry.missing.append("its health says nothing of the database: set HEALTH_CHECK_DATABASE=true there")
        else:
            entry.unread = one.lost or f"none of the usual paths is an API's own health: {_told(one)}"
        entry.missing.append(_LOGIN)
        draft.add(entry)
    if is_page and page:
        what = "a page of Next.js" if page.is_next else "a page"
        draft.add(Entry("frontends", name, {"url": one.url}, f"/ answers {page.status} with {what}"))
    if parts.scheme != "https":
        return
    if is_page or not api:
        _proxy(one, name, draft, api is not None)
    _names(parts.hostname or "", parts.port, name, draft, "it was given")


def _told(one: WebSeen) -> str:
    return ", ".join(f"{path.path} {path.status}" for path in (one.paths.paths if one.paths else ()))


def _proxy(one: WebSeen, name: str, draft: Draft, answers_api: bool) -> None:
    entry = Entry("proxies", name, {"url": one.url})
    health = "/health leads to the API" if answers_api else "/health was not seen to lead to the API"
    entry.found = one.lost or health
    redirect = one.redirect
    if redirect and redirect.status is not None:
        entry.body["http_url"] = redirect.http_url.rstrip("/")
        entry.found += f"; http answers {redirect.status}" + (" and leads to https" if redirect.to_https else "")
    if one.lost:
        entry.unread = one.lost
    draft.add(entry)


def _names(host: str, port: int | None, name: str, draft: Draft, found: str) -> None:
    body: dict[str, Any] = {"address": host}
    if port not in (None, 443):
        body["port"] = port
    draft.add(Entry("certificates", name, body, found))
    try:
        ipaddress.ip_address(host)
    except ValueError:
        if "." in host:
            draft.add(Entry("names", name, {"domain": host}, found))


def _of_nginx(seen: Seen, draft: Draft) -> None:
    """Nobody asked these: they are what a configuration says."""
    for host in seen.hosts:
        for site in host.nginx.sites:
            if not site.routes:
                continue
            name = next((n for n in site.names if "." in n and "*" not in n and not n.startswith(("~", "."))), "")
            address = name or host.host.address or host.host.name
            ports = site.tls_ports or site.ports
            scheme = "https" if site.tls_ports else "http"
            port = ports[0] if ports else 80
            url = f"{scheme}://{address}" + ("" if port in (80, 443) else f":{port}")
            if any(entry.body.get("url") == url for entry in draft.entries):
                continue
            why = f"{site.file} says so; to have it asked, give this command {url}"
            if not name:
                why = f"{site.file} names no server_name, so it is the host's own address"
            to_api, to_page = _led_to("backend", site, host, draft), _led_to("frontend", site, host, draft)
            if to_api:
                found = f"nginx passes {', '.join(to_api)} on to the backend"
                draft.add(Entry("apis", "main", {"url": url}, found, {"url": why}, [_LOGIN]))
            if to_page:
                found = f"nginx passes {', '.join(to_page)} on to the front end"
                draft.add(Entry("frontends", "public", {"url": url}, found, {"url": why}))
            body: dict[str, Any] = {"url": url}
            if any(other.redirects and 80 in other.ports for other in host.nginx.sites) and scheme == "https":
                body["http_url"] = f"http://{address}"
            draft.add(Entry("proxies", "public", body, f"nginx on {host.host.name}", {"url": why}))
            if scheme == "https":
                _names(address, port, "public", draft, f"nginx presents {site.certificate or 'a certificate'} there")


def _led_to(role: str, site: Site, host: HostSeen, draft: Draft) -> list[str]:
    """The locations of a site that lead to a service of this role: by its port, else by their names."""
    here = [entry.body for entry in draft.of("services") if entry.body["host"] == host.host.name]
    ports = {body.get("port"): body["role"] for body in here}
    led = []
    for location, place in site.routes:
        port = place.rpartition(":")[2]
        known = ports.get(int(port)) if port.isascii() and port.isdigit() and len(port) < 6 else None
        is_api = "api" in location or "health" in location
        if (known or ("backend" if is_api else "frontend")) == role:
            led.append(location)
    return sorted(dict.fromkeys(led))


__all__ = ["understand"]
