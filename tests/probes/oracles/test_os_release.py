"""os-release is what a shell reads from it: os-release(5), "shell-compatible variable assignments"."""

from __future__ import annotations

import subprocess
from shlex import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opsverify.errors import ProbeError
from opsverify.probes.host.question import Answer
from opsverify.probes.host.system.operating_system import OsRelease

TEXT = st.text(st.characters(min_codepoint=32, max_codepoint=0x17F, exclude_characters="\x7f"), max_size=12)
WRITTEN = st.one_of(
    TEXT.map(quote),
    TEXT.map(lambda text: '"' + "".join(f"\\{c}" if c in '"$`\\' else c for c in text) + '"'),
    st.from_regex(r"[A-Za-z0-9._-]{0,12}", fullmatch=True),
)


def ours(release: str) -> tuple[str, str, str]:
    text = f"== clock 1795780800.5\n== kernel Linux 6.1\n== hostname h\n== release\n{release}"
    facts = OsRelease().parse(Answer(text.encode()))
    return facts.id, facts.version, facts.pretty_name


def shells(release: str) -> tuple[str, ...]:
    script = f'{release}\nprintf \'%s\\0\' "$ID" "$VERSION_ID" "$PRETTY_NAME"'
    done = subprocess.run(["sh", "-c", script], env={"LC_ALL": "C.UTF-8"}, capture_output=True, check=True)
    return tuple(done.stdout.decode().split("\0")[:3])


@settings(max_examples=150, deadline=None)
@given(WRITTEN, WRITTEN, WRITTEN, st.booleans())
def test_every_quoting_is_read_as_a_shell_reads_it(id_: str, version: str, pretty: str, remarks: bool) -> None:
    lines = [f"ID={id_}", f"VERSION_ID={version}", f"PRETTY_NAME={pretty}"]
    release = "\n".join(["# a remark = none", "", *lines] if remarks else lines) + "\n"
    assert ours(release) == shells(release)


@pytest.mark.parametrize(
    ("release", "known"),
    [
        ('PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nVERSION_ID="12"\nID=debian\n', ("debian", "12")),
        ('NAME="Alpine Linux"\nID=alpine\nVERSION_ID=3.20.3\n', ("alpine", "3.20.3")),
        ("ID='rhel'\nVERSION_ID='9.4'\n", ("rhel", "9.4")),
        ("", ("", "")),
    ],
)
def test_what_distributions_write(release: str, known: tuple[str, str]) -> None:
    assert ours(release)[:2] == known


def test_what_no_shell_could_read_is_not_guessed_at() -> None:
    with pytest.raises(ProbeError, match="malformed"):
        ours('ID="debian\n')
