"""The stand-in's secrets: random at each start, never shown."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import time
from dataclasses import dataclass, field

TOKEN_LIFE = 30 * 24 * 3600
"""Seconds: a rehearsal that is kept up for days keeps answering its own token."""


def _password() -> str:
    return secrets.token_urlsafe(24)


@dataclass(frozen=True, repr=False)
class Credentials:
    """Passwords of the three database roles and of the API's first user, and its secret of 256 bits (hexadecimal)."""

    admin_password: str = field(default_factory=_password)
    owner_password: str = field(default_factory=_password)
    monitor_password: str = field(default_factory=_password)
    jwt_secret: str = field(default_factory=lambda: secrets.token_hex(32))
    login_password: str = field(default_factory=_password)

    def api_token(self) -> str:
        """Sign a bearer token (HS256) as the API's login would."""
        now = int(time.time())
        claims = {
            "sub": "user-1",
            "email": "staff1@mycats.example",
            "role": "ADMIN",
            "iat": now,
            "exp": now + TOKEN_LIFE,
        }
        signed = f"{_encoded({'alg': 'HS256', 'typ': 'JWT'})}.{_encoded(claims)}"
        signature = hmac.new(self.jwt_secret.encode(), signed.encode(), hashlib.sha256).digest()
        return f"{signed}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"


def _encoded(value: dict[str, object]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value, separators=(",", ":")).encode()).rstrip(b"=").decode()
