"""Addresses with passwords in them: read in one way, or refused without a word of the password."""

from __future__ import annotations

from urllib.parse import quote, unquote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from psycopg.conninfo import conninfo_to_dict

from opsverify.config.addresses import split, without_login, words

SECRETS = st.text(
    st.characters(min_codepoint=33, max_codepoint=0x2FF, exclude_categories=("Cc",)), min_size=1, max_size=30
)


@given(SECRETS)
@example("p@ss")
@example("12/34")
@example("a?b@c")
@example("x%zz")
@example("[x")
def test_a_password_is_taken_whole_or_not_at_all(secret: str) -> None:
    url = f"postgresql://user:{secret}@host:5432/db"
    try:
        parts = split(url)
    except ValueError as error:
        assert not [secret[i : i + 6] for i in range(len(secret) - 5) if secret[i : i + 6] in str(error)]
        return
    assert (parts.username, parts.password, parts.hostname, parts.port, parts.path) == (
        "user",
        secret,
        "host",
        5432,
        "/db",
    )
    assert conninfo_to_dict(url)["password"] == unquote(secret)  # libpq reads it so, too


@given(SECRETS)
def test_a_password_that_is_percent_encoded_is_taken(secret: str) -> None:
    parts = split(f"postgresql://user:{quote(secret, safe='')}@host/db?sslmode=require")
    assert (unquote(parts.password or ""), parts.hostname) == (secret, "host")


@given(SECRETS, st.sampled_from(["https://{}@h/", "https://u:{}@h/x", "ssh://u:{}@h", "x://a:{}@b?c=d@e"]))
def test_no_login_is_shown(secret: str, address: str) -> None:
    shown = without_login(address.format(secret))
    assert len(secret) < 6 or secret not in shown


@pytest.mark.parametrize(
    "url",
    [
        "https://mycats.example.com",
        "https://mycats.example.com/@public?a=b@c#d",
        "http://[::1]:3004/x",
        "postgresql://u@h1:5432,h2:5433/db?target_session_attrs=any",
        "postgresql:///db?host=/run/postgresql",
        "postgresql://u:p%40ss@[::1]/db",
    ],
)
def test_ordinary_addresses_are_taken(url: str) -> None:
    assert split(url).scheme == url.partition(":")[0]


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("host=db dbname=mycats", ["host", "dbname"]),
        ("host = db  password = 'it\\'s one' dbname=x", ["host", "password", "dbname"]),
        ("password= dbname=x", ["password"]),  # so libpq has it
        ("password=a\\ b dbname=x", ["password", "dbname"]),
    ],
)
def test_words_of_the_other_form(text: str, keys: list[str]) -> None:
    assert words(text) == keys
    assert set(conninfo_to_dict(text)) == set(keys)


@pytest.mark.parametrize(
    "text", ["host=db password=two words", "host=a dbname=b host=c", "password='open", "nothing", "a=b'c"]
)
def test_what_is_no_such_string_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="each once"):
        words(text)
