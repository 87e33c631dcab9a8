"""Each grammar of files of variables on its own, without the programs: tests/probes/oracles asks these."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsverify.errors import ProbeError
from opsverify.probes.host.environment_files import node_env_file, npm_dotenv, systemd_environment
from opsverify.probes.host.question import Answer
from opsverify.probes.host.release.published import assignments
from opsverify.probes.host.system.process_environment import ProcessEnvironment

LINE = "JWT_SECRET=q7#Zr9w\n"


def test_one_line_means_different_things():
    """What a secret is worth depends on who reads it."""
    assert npm_dotenv.parse(LINE) == node_env_file.parse(LINE) == {"JWT_SECRET": "q7"}
    assert systemd_environment.parse(LINE, 252) == {"JWT_SECRET": "q7#Zr9w"}
    assert [value for _, value, _ in assignments(LINE)] == ["q7#Zr9w", "q7"]


@pytest.mark.parametrize(("kind", "value", "length"), [("envfile", "q7", 16), ("nodefile", "q7", 16),
                                                       ("unitfile", "q7#Zr9w", 56)])  # fmt: skip
def test_a_file_is_read_by_the_grammar_of_its_reader(kind, value, length):
    facts = ProcessEnvironment(unit="x").parse(Answer(f"== systemd 252\n== {kind} /f\n {LINE}\n".encode()))
    assert facts.secret("JWT_SECRET").length_bits == length


def test_node_wins_over_the_application_and_its_later_file_over_the_earlier():
    def facts(text):
        return ProcessEnvironment(unit="x").parse(Answer(text.encode()))

    text = (
        "== nodefile /a\n PORT=1\n NODE_ENV=x\n\n== nodefile /b\n PORT=2\n\n== envfile /c\n PORT=3\n CORS_ORIGIN=z\n\n"
    )
    assert dict(facts(text).values) == {"PORT": "2", "NODE_ENV": "x", "CORS_ORIGIN": "z"}
    assert dict(facts(text + "== denied /d\n== hidden nodefile\n").values) == {"PORT": "3", "CORS_ORIGIN": "z"}
    with pytest.raises(ProbeError, match=r"^the environment of x could not be determined: /a: its line 2 is one that"):
        facts("== nodefile /a\n A=1\n \tJWT_SECRET=unmistakable\n\n")


@pytest.mark.parametrize(("text", "values"), [
    ("A=q w # c\nB='x # y' # c\nexport C=\"a\\nb\"\n#D=1\n\nE=\n", {"A": "q w", "B": "x # y", "C": "a\nb", "E": ""}),
    ("A = postgresql://u:p@h/d?a=b&c=d\r\nB=`'x'`", {"A": "postgresql://u:p@h/d?a=b&c=d", "B": "'x'"}),
    ("A=\"one\ntwo\"\nB=it's\n", {"A": "one\ntwo", "B": "it's"}), ("A= \nB=1\n", None), ("A='b\n", None), ("A\nB=1\n", None), ("# c=d", None),
    ("A=b\t\n", None), (" A=b\n", None),
])  # fmt: skip
def test_what_node_reads_the_same_in_all_releases(text, values):
    if values is None:
        with pytest.raises(ProbeError, match="releases of Node.js read differently"):
            node_env_file.parse(text)
    else:
        assert node_env_file.parse(text) == values


@pytest.mark.parametrize(("text", "values"), [  # systemd.exec(5), EnvironmentFile=
    ("A=b # no comment\n; one\n# another\nexport C=1\n", {"A": "b # no comment"}),
    ("A=b\\\n  c\\ \n", {"A": "b  c "}),
    ("A='b'\"c\\$\\x\" d \n", {"A": "bc$\\xd"}),
    ("A=b'c'\nB= \n 1=2\n", {"A": "b'c'", "B": ""}),
    ("A=\"one\ntwo\"\nB=\"unclosed\n", {"A": "one\ntwo", "B": "unclosed\n"}),
])  # fmt: skip
def test_what_systemd_reads(text, values):
    assert systemd_environment.parse(text, 252) == values


def test_a_comment_of_several_lines_ended_with_systemd_254():
    text = "# one \\\nA=1\nB=2\n"
    assert systemd_environment.parse(text, 253) == {"B": "2"}
    assert systemd_environment.parse(text, 254) == {"A": "1", "B": "2"}


def test_words_that_systemctl_shows():
    line = r"""A=b "C=d \"\$e\\ \n\303" D="" $'E=it\'s' F"""
    assert systemd_environment.shown(line) == {"A": "b", "C": 'd "$e\\ \n\xc3', "D": '""', "E": "it's"}


@given(st.text(max_size=40))
def test_whatever_is_in_a_file(text):
    for parse in (npm_dotenv.parse, lambda text: systemd_environment.parse(text, 252), systemd_environment.shown):
        assert all(isinstance(value, str) for value in parse(text).values())
    try:
        node_env_file.parse(text)
    except ProbeError as error:
        assert "line" in str(error)
