"""YAML as an operator means it: the core schema of YAML 1.2, and no mistake settled silently."""

from __future__ import annotations

import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsverify.config.yaml_file import read_yaml
from opsverify.errors import ConfigurationError

ROOT = Path(__file__).parents[2]


def value(folder: Path, text: str) -> Any:
    path = folder / "a.yaml"
    path.write_text(f"key: {text}\n", encoding="utf-8")
    return read_yaml(path)["key"]


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        *((word, word) for word in ("no", "No", "NO", "yes", "on", "Off", "y", "n", "tRUE", "nULL")),
        *((text, True) for text in ("true", "True", "TRUE")),
        *((text, False) for text in ("false", "False", "FALSE")),
        *((text, None) for text in ("", "~", "null", "Null", "NULL")),
        ("3:04", "3:04"),
        ("22:30:00", "22:30:00"),
        ("010", 10),
        ("0o10", 8),
        ("0x1F", 31),
        ("0b11", "0b11"),
        ("1_000", "1_000"),
        ("-7", -7),
        ("+7", 7),
        ("1e3", 1000.0),
        ("1.", 1.0),
        (".5", 0.5),
        ("1.2.3", "1.2.3"),
        (".inf", math.inf),
        ("-.Inf", -math.inf),
        ("2026-02-30", "2026-02-30"),
        ("2026-02-03", "2026-02-03"),
        ("2026-02-03 04:05:06", "2026-02-03 04:05:06"),
        ("=", "="),
        ('"no"', "no"),
        ("'010'", "010"),
    ],
)
def test_plain_scalars_are_what_yaml_1_2_says(tmp_path: Path, text: str, meant: Any) -> None:
    read = value(tmp_path, text)
    assert (type(read), read) == (type(meant), meant)


def test_not_a_number_is_read(tmp_path: Path) -> None:
    assert math.isnan(value(tmp_path, ".nan"))


@given(text=st.from_regex(r"[-+0-9:._oxeE]{1,8}", fullmatch=True))
def test_a_number_is_what_the_core_schema_calls_one(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    """An independent reading of YAML 1.2.2, 10.3.2, by Python's own numbers."""
    digits = set("0123456789")
    body = text[1:] if text[:1] in "+-" else text
    if body and set(body) <= digits:
        meant: Any = int(text)
    elif text.startswith("0o") and text[2:] and set(text[2:]) <= set("01234567"):
        meant = int(text[2:], 8)
    elif text.startswith("0x") and text[2:] and set(text[2:]) <= digits | set("eE"):
        meant = int(text[2:], 16)
    elif "_" not in text and set(body[:2]) & digits and not body.lower().startswith("e"):
        try:
            meant = float(text)
        except ValueError:
            meant = text
    else:
        meant = text
    try:
        read = value(tmp_path_factory.mktemp("yaml"), text)
    except ConfigurationError:  # "-", "a: b:" and the like are no scalars
        return
    if not isinstance(read, (dict, list)) and read is not None:
        assert (type(read), read) == (type(meant), meant)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb:\n  c: 1\n  c: 2\n", r"line 4: found duplicate key 'c'"),
        ("1: x\n0x1: y\n", r"line 2: found duplicate key '0x1'"),
        ("a: {b: 1, b: 2}\n", r"line 1: found duplicate key 'b'"),
        ("a: [1\nb: 2\n", r"line \d: found .*, allowed YAML"),
        ("a: b: c\n", r"line 1: found mapping values are not allowed"),
        ("\ta: 1\n", r"line 1: found .*, allowed YAML"),
        ("a: *nowhere\n", r"line 1: found .*alias.*, allowed YAML"),
        ("a: 1\n---\nb: 2\n", r"found .*, allowed YAML"),
        ("a: !!python/object/apply:os.system [id]\n", r"line 1: found .*, allowed YAML"),
        ("? [a]\n: 1\n", r"found .*, allowed YAML"),
        ("a: \x07\n", r"found .*, allowed YAML"),
    ],
)
def test_what_is_no_yaml_is_refused_with_its_line(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError, match=message):
        read_yaml(path)


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_bytes(b"a: \xff\n")
    with pytest.raises(ConfigurationError, match="not UTF-8"):
        read_yaml(path)
    path.write_bytes(b"\xef\xbb\xbfa: 1\n")
    assert read_yaml(path) == {"a": 1}
    path.write_bytes(b"")
    assert read_yaml(path) is None


def test_what_is_nested_without_end_ends_no_process(tmp_path: Path) -> None:
    """By the hundred thousand: a parser in C must not run out of its stack."""
    path = tmp_path / "deep.yaml"
    path.write_text("[" * 100_000)
    code = f"from pathlib import Path; from opsverify.config.yaml_file import read_yaml; read_yaml(Path({str(path)!r}))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.returncode
    assert "ConfigurationError" in done.stderr


def test_merged_keys_may_be_said_again(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("base: &base {a: 1, b: 2}\nown: {<<: *base, b: 3}\n")
    assert read_yaml(path)["own"] == {"a": 1, "b": 3}


@pytest.mark.parametrize("key", ["a", "a_longer_key"])
def test_of_two_equal_keys_the_nearer_one_counts(tmp_path: Path, key: str) -> None:
    """Also where a mapping is merged by another before it is read itself, as one that stands deeper is."""
    path = tmp_path / "a.yaml"
    path.write_text(
        f"top:\n  base: &base {{{key}: 1}}\n  deep: {{own: &own {{<<: *base, {key}: 2}}}}\n"
        f"last: {{<<: *own}}\nfirst: {{<<: [*base, *own]}}\n"
    )
    read = read_yaml(path)
    assert read["top"]["deep"]["own"] == {key: 2}
    assert read["last"] == {key: 2}
    assert read["first"] == {key: 1}


def test_a_mapping_that_is_merged_may_not_repeat_a_key(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("a:\n  b: &b\n    c: 1\n    c: 2\nd: {<<: *b}\n")
    with pytest.raises(ConfigurationError, match="line 4: found duplicate key 'c'"):
        read_yaml(path)


@pytest.mark.parametrize("text", ["!!bool maybe", '!!float ""', "!!int x"])
def test_a_tag_that_does_not_fit_its_value_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigurationError, match="found no YAML"):
        value(tmp_path, text)
