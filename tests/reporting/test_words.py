"""Both languages of the HTML report have the same words."""

from __future__ import annotations

import re

import pytest

from opsverify.reporting.words import EN, JA, Words


def test_no_word_is_missing_in_a_language() -> None:
    assert EN.keys() == JA.keys()


@pytest.mark.parametrize("key", EN)
def test_a_translation_has_the_same_places_to_fill(key: str) -> None:
    places = [set(re.findall(r"\{(\w+)\}", words[key])) for words in (EN, JA)]
    assert places[0] == places[1]


def test_what_is_filled_in_is_no_template() -> None:
    assert (
        Words("en").filled("where", subject="{names}", where="on 4 hosts", names="a\\1") == "{names} on 4 hosts: a\\1"
    )
