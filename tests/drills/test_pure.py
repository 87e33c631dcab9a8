"""What drills work out without touching anything: scripts read, streams taken apart, contents compared."""

from __future__ import annotations

import io
import json
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsverify.drills.deviations import compare, named
from opsverify.drills.manifest import ManifestFile
from opsverify.drills.newest import NOISE, Receiver
from opsverify.drills.script import read
from opsverify.errors import ProbeError
from opsverify.probes.host.probe import judge
from opsverify.probes.host.question import Answer
from opsverify.probes.postgres.contents import ContentsFacts

NONCE = "0123456789abcdef" * 2

# As pg_dump 15.18 and 18 write them.
DUMP = b"""--
-- PostgreSQL database dump
--

\\restrict abc

-- Dumped from database version 15.18 (Debian 15.18-0+deb12u1)
-- Dumped by pg_dump version 17.2

SET statement_timeout = 0;
CREATE SCHEMA audit AUTHORIZATION auditor;
CREATE FUNCTION public.hello() RETURNS text
    LANGUAGE sql
    AS $$ SELECT 'x' $$;
ALTER FUNCTION public.hello() OWNER TO mycats;
ALTER TABLE public.cats OWNER TO "Odd ""Role";
COPY public.cats (id, name) FROM stdin;
GRANT ALL ON TABLE x TO from_a_row;
\\.

COPY public."odd (FROM stdin;" (id) FROM stdin;
1
\\.
GRANT SELECT ON TABLE public.cats TO mycats_monitor, "reader, too" WITH GRANT OPTION;
GRANT SELECT(id) ON TABLE public.owners TO PUBLIC;
REVOKE ALL ON SCHEMA public FROM pg_database_owner;
SET SESSION AUTHORIZATION 'quoted';
ALTER DEFAULT PRIVILEGES FOR ROLE deployer IN SCHEMA public GRANT SELECT ON TABLES TO Grantee;
-- PostgreSQL database dump complete
"""


def test_a_script_is_read():
    output = read(io.BytesIO(DUMP))
    assert output.roles == {
        "auditor", "mycats", 'Odd "Role', "mycats_monitor", "reader, too", "deployer", "grantee",
    }  # fmt: skip
    assert (output.server_version, output.dump_version, output.major) == ("15.18", "17.2", 15)
    assert (output.ends_inside, output.creates_database) == ("", False)


def test_a_script_cut_among_rows():
    assert read(io.BytesIO(DUMP[: DUMP.index(b"from_a_row")])).ends_inside == "public.cats"
    assert read(io.BytesIO(DUMP[: DUMP.index(b"\\.")])).ends_inside == "public.cats"


def test_a_script_that_creates_its_database():
    assert read(io.BytesIO(b"CREATE DATABASE mycats WITH TEMPLATE = template0;\n\\connect mycats\n")).creates_database


@given(st.lists(st.sampled_from([*DUMP.splitlines(keepends=True), b"\xff\n", b"GRANT", b"ALTER x OWNER TO ;\n"])))
def test_any_text_is_read(lines):
    script = read(io.BytesIO(b"".join(lines)))
    # Rows are not statements: from COPY on until their end, nothing names a role.
    rows_only = lines[:1] == [b"COPY public.cats (id, name) FROM stdin;\n"] and b"\\.\n" not in lines
    assert not (rows_only and script.roles)


# ---- the stream -------------------------------------------------------------------------------------------------


def stream(content: bytes, *, zipped: bool, status: int = 0, noise: bytes = b"") -> bytes:
    packed = zlib.compressobj(1, zlib.DEFLATED, zlib.MAX_WBITS | 16)
    body = packed.compress(content) + packed.flush() if zipped else content
    kind = b"gzip" if zipped else b"plain"
    return noise + f"\n{NONCE} ".encode() + kind + b"\n" + body + f"\n{NONCE} end {status}\n".encode()


def received(pieces, size: int) -> bytes:
    copy = io.BytesIO()
    receiver = Receiver(NONCE, size, copy)
    for piece in pieces:
        receiver.feed(piece)
    receiver.finish("db.sql")
    return copy.getvalue()


@given(st.binary(max_size=3000), st.booleans(), st.binary(max_size=50), st.integers(1, 500))
def test_a_stream_arrives_in_any_pieces(content, zipped, noise, length):
    whole = stream(content, zipped=zipped, noise=noise)
    pieces = [whole[i : i + length] for i in range(0, len(whole), length)]
    assert received(pieces, len(content)) == content


@given(st.binary(min_size=1, max_size=3000), st.booleans(), st.data())
def test_a_stream_that_breaks_off_is_noticed(content, zipped, data):
    whole = stream(content, zipped=zipped)
    cut = data.draw(st.integers(0, len(whole) - 1))
    with pytest.raises(ProbeError, match="broke off after"):
        received([whole[:cut]], len(content))


def test_other_mishaps_of_a_stream():
    with pytest.raises(ProbeError, match="broke off after 3 of 3 bytes"):
        received([stream(b"abc", zipped=False, status=1)], 3)
    with pytest.raises(ProbeError, match="grows while it is read"):
        received([stream(b"abcd" * 9, zipped=True)], 3)
    with pytest.raises(ProbeError, match="damaged on the way"):
        received([stream(b"abc", zipped=True)[:50] + b"\0" * 60], 3)
    with pytest.raises(ProbeError, match="prints too much"):
        received([b"x" * (NOISE + 1)], 3)


# ---- comparing --------------------------------------------------------------------------------------------------


def contents(**tables: int) -> ContentsFacts:
    return ContentsFacts(tuple((f"public.{name}", rows) for name, rows in sorted(tables.items())), 5, 4)


def test_what_agrees():
    result = compare(contents(a=1000, b=5), contents(a=1005, b=9), 1, 5)
    assert (result.missing, result.others, result.emptied, result.deviating) == ((), (), (), ())
    assert not result.strange
    assert not result.migrated


def test_the_larger_tolerance_counts():
    assert [str(one) for one in compare(contents(a=980), contents(a=1000), 1, 19).deviating] == [
        "public.a 980 of 1,000"
    ]
    assert not compare(contents(a=980), contents(a=1000), 1, 20).deviating
    assert not compare(contents(a=980), contents(a=1000), 2, 0).deviating


def test_what_does_not_agree():
    result = compare(contents(a=0, c=3, d=0), contents(a=1, b=2, d=0), 100, 1000)
    assert (result.missing, result.others) == (("public.b",), ("public.c",))
    assert [one.table for one in result.emptied] == ["public.a"]
    assert compare(contents(x=1), contents(a=1), 0, 0).strange
    assert not compare(contents(), contents(a=1), 0, 0).strange


@pytest.mark.parametrize(("rows", "migrated"), [(0, False), (2, True), (3, False), (4, False)])
def test_migrations_since_explain_another_schema(rows, migrated):
    assert compare(contents(_prisma_migrations=rows), contents(_prisma_migrations=3), 0, 0).migrated is migrated


def test_names_with_and_without_schema():
    assert named("public.cats", ["cats"])
    assert named("public.cats", ["public.cats"])
    assert not named("public.cats", ["other.cats", "at"])


# ---- the manifest -----------------------------------------------------------------------------------------------


@given(st.recursive(st.none() | st.integers() | st.text() | st.booleans(), lambda x: st.lists(x) | st.dictionaries(
    st.sampled_from(["tables", "constraints", "indexes", "public.cats"]), x)))  # fmt: skip
def test_any_manifest_is_contents_or_an_error(text):
    fact = judge(ManifestFile("/b/db.sql.manifest.json"), Answer(json.dumps(text).encode()))
    assert isinstance(fact, (ContentsFacts, ProbeError))
    if isinstance(fact, ContentsFacts):
        assert all(rows >= 0 for _, rows in fact.tables)
