"""Whatever a target says comes out harmless, and without a secret."""

from __future__ import annotations

import base64
import json
import time
import unicodedata
import xml.etree.ElementTree as ET
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from opsverify.reporting.text import MASK, Redactor, printable, printable_block

ANYTHING = st.text(alphabet=st.characters(exclude_categories=()), max_size=300) | st.lists(
    st.sampled_from(["\x1b[", "31m", "\x1b]0;t\x07", "\x9b2J", "\r\n", "\u202e", "\ud800", "\udfff", "a", " ", "\x00"])
).map("".join)


@given(ANYTHING, st.integers(min_value=0, max_value=80))
@example("\x1b\x1b[31m[31mred", 50)
def test_printable_text_is_one_bounded_line_that_xml_and_terminals_take(text: str, limit: int) -> None:
    line = printable(text, limit)
    assert len(line) <= limit
    assert line == line.strip()
    assert len(line.splitlines()) <= 1
    assert not any(unicodedata.category(c) in ("Cc", "Cs") for c in line)
    assert not any(c in line for c in "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200f\ufffe\uffff")
    assert ET.fromstring(ET.tostring(element(line))).text == (line or None)
    line.encode("utf-8")


def element(text: str) -> ET.Element:
    made = ET.Element("a")
    made.text = text
    return made


@given(ANYTHING)
def test_printable_changes_nothing_the_second_time(text: str) -> None:
    assert printable(printable(text)) == printable(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ("使用率は 84 % です", "使用率は 84 % です"),
        ("\x1b[1;31mred\x1b[0m text", "red text"),
        ("\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x1b]0;title\x07rest", "rest"),
        ("\x9b31mC1", "C1"),
        ("an \x1b]unterminated sequence hides nothing", "an unterminated sequence hides nothing"),
        ("one\r\ntwo\n\n  three\n", "one ⏎ two ⏎ three"),
        ("a\u2028b\x85c\x0bd", "a ⏎ b ⏎ c ⏎ d"),
        ("user\u202etxt.exe", "usertxt.exe"),
        ("half \ud800 whole \ud83d\ude00", "half \ufffd whole \U0001f600"),
        ("tab\tstop", "tab stop"),
        ("a\x00b\x07c\ufffe", "abc"),
        ("👩‍💻", "👩‍💻"),
    ],
)
def test_printable_examples(text: str, expected: str) -> None:
    assert printable(text) == expected


def test_too_long_ends_with_an_ellipsis() -> None:
    assert printable("x" * 501) == "x" * 499 + "…"
    assert printable("x" * 500) == "x" * 500


def test_a_block_keeps_lines_and_indentation_and_its_end() -> None:
    assert printable_block("def f():\n\treturn '\x1b[1mx'\r\n\n") == "def f():\n    return 'x'"
    assert printable_block("a" * 50 + "\nend", limit=10).endswith("\nend")
    assert len(printable_block("a\n" * 500, limit=100)) <= 100


SECRETS = st.lists(st.text(min_size=4, max_size=20).filter(lambda s: len(s.strip()) >= 4 and "•" not in s), max_size=4)


@given(SECRETS, st.text(max_size=60), st.text(max_size=60))
@example(["abcd", "cdef"], "abcdef", "")
@example(["secret", "secret-longer"], "secret-longer", "")
def test_no_told_secret_survives_in_any_form(secrets: list[str], before: str, after: str) -> None:
    assume("•" not in before + after)
    redactor = Redactor(secrets)
    for secret in secrets:
        try:
            raw = secret.encode()
        except UnicodeEncodeError:
            continue
        forms = [secret, quote(secret), quote(secret, safe=""), quote_plus(secret), json.dumps(secret)[1:-1]]
        forms += [json.dumps(secret, ensure_ascii=False)[1:-1], base64.b64encode(raw).decode(), repr(secret)[1:-1]]
        for form in forms:
            cleaned = redactor.clean(before + form + after)
            assert secret not in cleaned
            assert form not in cleaned
            assert MASK in cleaned


@given(SECRETS, st.text(max_size=200))
def test_cleaning_twice_is_cleaning_once(secrets: list[str], text: str) -> None:
    redactor = Redactor(secrets)
    assert redactor.clean(redactor.clean(text)) == redactor.clean(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("postgresql://mycats:hunter@db:5432/x", "postgresql://mycats:•••@db:5432/x"),
        ("postgres://u:p@ss/w@rd@db/x", "postgres://u:•••@ss/w@rd@db/x"),
        ("http://app1:3004/a?mail=b@example.org", "http://app1:3004/a?mail=b@example.org"),
        ("Authorization: Bearer abc.def-1", "Authorization: Bearer •••"),
        ("authorization: Basic dXNlcjpwdw==", "authorization: Basic •••"),
        ('{"Authorization": "Bearer abcdef123"}', '{"Authorization": "Bearer •••"}'),
        ("host=db password=hunter2 user=x", "host=db password=••• user=x"),
        ("password='two words' user=x", "password=••• user=x"),
        ("PGPASSWORD=abc psql", "PGPASSWORD=••• psql"),
        ("JWT_SECRET=0123456789\nPORT=3004", "JWT_SECRET=•••\nPORT=3004"),
        ('{"password":"a\\"b","ok":1}', '{"password":"•••","ok":1}'),
        ('"{\\"token\\":\\"abc\\",\\"ok\\":1}"', '"{\\"token\\":\\"•••\\",\\"ok\\":1}"'),
        ("Set-Cookie: sid=1; Path=/", "Set-Cookie: •••"),
        ("token eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln here", "token ••• here"),
        ("-----BEGIN PRIVATE KEY-----\nabc\n-----END PRIVATE KEY-----\nok", "•••\nok"),
        ("-----BEGIN RSA PRIVATE KEY-----\nabc", "•••"),
    ],
)
def test_what_looks_like_a_secret_goes(text: str, expected: str) -> None:
    assert Redactor().clean(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "observed password_encryption = md5, expected scram-sha-256",
        "password authentication failed for user mycats",
        "JWT_SECRET has 128 bits, expected at least 256 bits",
        "max_tokens=5",
        "Bearer authentication was refused",
        "http://[::1]:3004/health answers 200",
        "disk /var 84 %",
    ],
)
def test_what_a_report_says_stays(text: str) -> None:
    assert Redactor().clean(text) == text


def test_short_secrets_are_hidden_only_where_they_stand_as_one() -> None:
    redactor = Redactor(["cat", "", "x"])
    assert redactor.too_short == 2
    assert redactor.clean("the cat sat at postgres://u:cat@h") == "the cat sat at postgres://u:•••@h"


def test_a_public_word_is_hidden_only_where_it_stands_as_a_secret() -> None:
    redactor = Redactor(["mycats"], public=["mycats-backend"])
    text = "mycats-backend cannot reach postgresql://mycats:mycats@db/mycats"
    assert redactor.clean(text) == "mycats-backend cannot reach postgresql://mycats:•••@db/mycats"
    assert Redactor(["mycats"]).clean("mycats-backend") == "•••-backend"


def test_a_secret_inside_basic_authentication_is_found() -> None:
    for user in ("a", "ab", "abc"):
        header = base64.b64encode(f"{user}:correct-horse".encode()).decode()
        assert MASK in Redactor(["correct-horse"]).clean(f"sent {header}")


def test_a_secret_broken_up_by_colours_is_found() -> None:
    assert "tr0ub4dor" not in Redactor(["tr0ub4dor"]).printable("tr0\x1b[1mub4\x1b[0mdor")


def test_no_part_of_a_secret_survives_the_cut() -> None:
    assert "tr0" not in Redactor(["tr0ub4dor"]).printable("x" * 15 + "tr0ub4dor", limit=20)


def test_lines_of_a_key_file_are_secrets_too() -> None:
    key = "-----BEGIN X-----\nMIIEvQIBADANBgkqhkiG9w0BAQ\n-----END X-----\n"
    assert "MIIEvQ" not in Redactor([key]).clean("could not parse MIIEvQIBADANBgkqhkiG9w0BAQ")


@pytest.mark.parametrize("unit", ["GET /api/v1/cats 200 a=b ", "://", "\x1b]", " ", "password", "eyJ", "Bearer ", '":'])
def test_long_texts_are_fast(unit: str) -> None:
    text = unit * (300_000 // len(unit))
    redactor = Redactor([f"secret-number-{n}" for n in range(20)])
    began = time.process_time()
    redactor.printable(text)
    assert time.process_time() - began < 3
