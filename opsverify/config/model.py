"""What all models of an environment file are made of."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from opsverify.config import addresses


def web_address(value: str) -> str:
    """An http(s) address without user and password; raises ValueError, with what is allowed, for what is none."""
    parts = addresses.split(value)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("an address such as https://mycats.example.com")
    if parts.username or parts.password:
        raise ValueError("an address without user and password (use headers or token)")
    if parts.port == 0:
        raise ValueError("an address with a port from 1 to 65535")
    return value.rstrip("/")


Address = Annotated[str, AfterValidator(web_address)]
Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.@-]*$", max_length=60)]
Owner = Annotated[str, StringConstraints(strip_whitespace=True, min_length=2)]
Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=5)]
Seconds = Annotated[float, Field(gt=0, le=86400, allow_inf_nan=False)]


class Model(BaseModel):
    """Frozen, and an unknown key is a mistake: a misspelt threshold must not be a silently ignored one."""

    # hide_input: pydantic would otherwise repeat a connection string, password and all, in its error.
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


__all__ = ["Address", "Model", "Name", "Owner", "Reason", "Seconds", "web_address"]
