"""Many names in few words, of which none is lost."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsverify.reporting.ranges import compress, natural, pieces, short


def expand(texts: list[str]) -> list[str]:
    """What a person reads in the pieces."""
    names = []
    for text in texts:
        ends = next((cut for n in range(len(text)) if (cut := _ends(text[:n], text[n + 1 :], text[n : n + 1]))), None)
        names += _between(*ends) if ends else [text]
    return names


def _ends(first: str, last: str, between: str) -> tuple[list[str], list[str]] | None:
    a, b = re.split(r"([0-9]+)", first), re.split(r"([0-9]+)", last)
    rising = [(x, y) for x, y in zip(a, b, strict=False) if x != y]
    numbers = len(rising) == 1 and all(part.isascii() and part.isdigit() for part in rising[0])
    return (a, b) if between == "-" and len(a) == len(b) and numbers and int(rising[0][0]) < int(rising[0][1]) else None


def _between(first: list[str], last: list[str]) -> list[str]:
    where = next(n for n, (a, b) in enumerate(zip(first, last, strict=True)) if a != b)
    numbers = range(int(first[where]), int(last[where]) + 1)
    return ["".join([*first[:where], str(n).zfill(len(first[where])), *first[where + 1 :]]) for n in numbers]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["app1"], ["app1"]),
        (["app1", "app2"], ["app1", "app2"]),
        (["app3", "app1", "app2", "app2"], ["app1-app3"]),
        (["app9", "app10", "app11"], ["app9-app11"]),
        (["app09", "app10", "app08"], ["app08-app10"]),
        (["app99", "app0100", "app0101", "app0102"], ["app99", "app0100-app0102"]),
        (["app001", "app002", "app003", "app005", "app007", "app008", "app009"],
         ["app001-app003", "app005", "app007-app009"]),
        (["app1.dc2", "app2.dc2", "app3.dc2", "app1.dc3"], ["app1.dc2", "app1.dc3", "app2.dc2", "app3.dc2"]),
        (["web-01-a", "web-02-a", "web-03-a"], ["web-01-a-web-03-a"]),
        (["a1b1", "a1b2", "a2b2", "a3b2"], ["a1b1", "a1b2", "a2b2", "a3b2"]),
        (["blue", "green"], ["blue", "green"]),
        (["1", "2", "3"], ["1-3"]),
        ([], []),
    ],
)  # fmt: skip
def test_names_are_said_as_operators_say_them(names: list[str], expected: list[str]) -> None:
    assert compress(names) == expected


HOSTS = st.builds(
    lambda prefix, number, width, suffix: f"{prefix}{str(number).zfill(width)}{suffix}",
    st.sampled_from(["app", "db-", "web_", "n1.rack", ""]),
    st.integers(0, 120),
    st.integers(1, 4),
    st.sampled_from(["", "", ".internal", "@b"]),
)
WORDS = st.text(alphabet="ab-._@019", min_size=1, max_size=6)


@given(st.lists(HOSTS, max_size=150))
def test_what_is_read_is_what_there_is(names: list[str]) -> None:
    assert expand(compress(names)) == sorted(set(names), key=natural)


@given(st.lists(st.one_of(HOSTS, WORDS, st.text()), max_size=60))
def test_no_name_is_lost_or_said_twice(names: list[str]) -> None:
    assert [name for piece in pieces(names) for name in piece] == sorted(set(names), key=natural)


@given(st.sets(HOSTS), st.integers(1, 10))
def test_a_short_list_says_how_many_it_leaves_out(names: set[str], most: int) -> None:
    text = short(names, most)
    counted = re.search(r" and ([0-9,]+) more$", text)
    listed = text[: counted.start()] if counted else text
    left = int(counted[1].replace(",", "")) if counted else 0
    assert left != 1
    assert len(expand(listed.split(", ") if listed else [])) + left == len(names)


def test_a_thousand_names_are_few_words() -> None:
    names = [f"app{n:03}" for n in range(1, 33)] + [f"app{n:03}" for n in range(40, 80, 2)]
    assert short(names, 3) == "app001-app032, app040, app042 and 18 more"
