"""What a healthy API answers, at the times that a test wants it to tell."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import formatdate
from typing import Any

HEALTHY: dict[str, Any] = {
    "success": True,
    "data": {
        "status": "ok",
        "timestamp": "2026-05-01T10:00:00.000Z",
        "service": "Cat Management System API",
        "version": "1.0.0",
        "environment": "production",
        "uptime": 3600.5,
        "memory": {"used": 1, "total": 2},
        "database": "ok",
    },
}


def telling(moments: Callable[[], datetime], **headers: str) -> Any:
    """A route that answers well, and that it is as late as `moments` says."""

    def handle(request: Any) -> None:
        data = HEALTHY["data"] | {"timestamp": moments().isoformat()}
        body = json.dumps(HEALTHY | {"data": data}).encode()
        request.send_response_only(200)
        for name, value in {"Date": formatdate(usegmt=True), **headers}.items():
            request.send_header(name, value)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)

    return handle


def ago(*hours: float) -> Callable[[], datetime]:
    """Moments so many hours before they are asked for, one after another; the last goes on."""
    left = list(hours)
    return lambda: datetime.now(UTC) - timedelta(hours=left.pop(0) if len(left) > 1 else left[0])


def at(hours: float) -> Callable[[], datetime]:
    """The same moment always, so many hours before now."""
    moment = datetime.now(UTC) - timedelta(hours=hours)
    return lambda: moment
