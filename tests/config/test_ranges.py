"""Ranges in names mean what they mean in an Ansible inventory."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsverify.config.ranges import MOST, behind_first, expand, has_range


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("web[1:3]", ["web1", "web2", "web3"]),
        ("web[08:11]", ["web08", "web09", "web10", "web11"]),
        ("web[:2]", ["web0", "web1", "web2"]),
        ("web[0:10:5].example.com", ["web0.example.com", "web5.example.com", "web10.example.com"]),
        ("db[a:c]", ["dba", "dbb", "dbc"]),
        ("db[A:E:2]", ["dbA", "dbC", "dbE"]),
        ("[a:b]-[1:2]", ["a-1", "a-2", "b-1", "b-2"]),
        ("ssh://u@w[1:2]:22", ["ssh://u@w1:22", "ssh://u@w2:22"]),
        ("ssh://[fe80::1%eth0]:22", ["ssh://[fe80::1%eth0]:22"]),
        ("ssh://[1:2:3:4:5:6:7:8]", ["ssh://[1:2:3:4:5:6:7:8]"]),
        ("plain", ["plain"]),
    ],
)
def test_what_a_pattern_stands_for(pattern: str, names: list[str]) -> None:
    assert expand(pattern) == names
    assert has_range(pattern) == (names != [pattern])


@pytest.mark.parametrize(
    "pattern",
    [
        "w[3:1]",
        "w[1:3:0]",
        "w[1]",
        "w[]",
        "w[:]",
        "w[1:]",
        "w[a:9]",
        "w[a:Z]",
        "w[aa:bb]",
        "w[1:2",
        "w1:2]",
        "w[[1:2]]",
    ],
)
def test_what_is_no_range_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match=r"^a range such as \[1:9\]"):
        expand(pattern)


def test_ends_are_padded_alike() -> None:
    with pytest.raises(ValueError, match="padded to the same length"):
        expand("w[01:100]")


@pytest.mark.parametrize("pattern", ["w[0:999999999999999]", "w[1:100001]", "w[000001:999999]", "w[1:400][1:400]"])
def test_a_zero_too_many_is_refused_before_it_costs_anything(pattern: str) -> None:
    with pytest.raises(ValueError, match="of 100,000 hosts at most"):
        expand(pattern)


def test_the_largest_range_is_allowed() -> None:
    assert len(expand(f"w[1:{MOST}]")) == MOST


def test_where_a_range_stands() -> None:
    assert not behind_first("web[1:3].example.com", ".")
    assert behind_first("10.0.[1:3].5", ".")
    assert not behind_first("web[1:3]", ".")


@given(st.integers(0, 999), st.integers(0, 60), st.integers(1, 9), st.integers(3, 6))
def test_a_padded_range_counts_as_python_does(first: int, more: int, step: int, width: int) -> None:
    last = first + more
    pattern = f"w[{first:0{width + 1}}:{last:0{width + 1}}:{step}]"
    assert expand(pattern) == [f"w{one:0{width + 1}}" for one in range(first, last + 1, step)]


@given(st.text(string.ascii_letters + string.digits + "[]:.-", max_size=20))
def test_any_text_is_expanded_or_refused(text: str) -> None:
    try:
        names = expand(text)
    except ValueError:
        return
    assert 0 < len(names) <= MOST
    assert not any(has_range(name) for name in names)
