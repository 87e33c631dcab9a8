"""Which database a URL means; and that its password stays where it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from opsverify.config.history_location import locate

BASE = Path("/srv/suite")


@pytest.mark.parametrize(
    ("url", "kind", "address", "label"),
    [
        (None, "sqlite", "/srv/suite/reports/history.db", "/srv/suite/reports/history.db"),
        ("", "sqlite", "/srv/suite/reports/history.db", "/srv/suite/reports/history.db"),
        ("none", "none", "", "none"),
        ("sqlite:///own/h.db", "sqlite", "/srv/suite/own/h.db", "/srv/suite/own/h.db"),
        ("sqlite:////var/lib/h.db", "sqlite", "/var/lib/h.db", "/var/lib/h.db"),
        ("postgres://u:pw@db:5433/h", "postgresql", "postgres://u:pw@db:5433/h", "postgresql://db:5433/h"),
        ("postgresql://db/h?sslmode=require", "postgresql", "postgresql://db/h?sslmode=require", "postgresql://db/h"),
    ],
)
def test_a_url_names_a_database(url: str | None, kind: str, address: str, label: str) -> None:
    result = locate(url, BASE)
    assert (result.kind, result.address, result.label) == (kind, address, label)
    assert "pw" not in repr(result)


@pytest.mark.parametrize(
    "url",
    [
        "history.db",
        "/var/lib/h.db",
        "mysql://db/h",
        "sqlite://",
        "sqlite:///",
        "sqlite:///:memory:",
        "sqlite:///h.db?mode=ro",
        "sqlite:///folder/",
        "postgresql://db",
        "postgresql://db/",
        "postgresql://[/h",
        "postgresql://db:0/h",
        "postgresql://db:port/h",
        "None",
    ],
)
def test_what_is_no_database_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"sqlite:///path|postgresql://user@host"):
        locate(url, BASE)
