"""Versions, put in order by us and by the package managers."""

from __future__ import annotations

import shutil
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opsverify.probes.host.system import version_order

# What versions are made of, and what is easily put in the wrong order.
PARTS = ("0", "1", "9", "10", "09", ".", ".", "+", "~", "-", "a", "Z", "rc", "deb13", "+deb13.1", "el9")
RPM = """%{{lua: for a, b in string.gmatch([[{pairs}]], "(%S+) (%S+)") do print(rpm.vercmp(a, b) .. " ") end}}"""


def versions(*more: str) -> st.SearchStrategy[str]:
    return st.lists(st.sampled_from((*PARTS, *more)), max_size=7).map("".join)


def sign(left, right) -> int:
    return (left > right) - (left < right)


@pytest.mark.skipif(shutil.which("dpkg") is None, reason="dpkg is not installed")
@given(left=versions(), right=versions(), alike=st.booleans())
@settings(max_examples=150)
def test_dpkg(left, right, alike):
    left, right = f"1{left}", f"1{left}{right}" if alike else f"1{right}"
    if left.endswith("-") or right.endswith("-"):
        return  # which dpkg refuses
    ours = sign(version_order.debian(left), version_order.debian(right))
    word = {-1: "lt", 0: "eq", 1: "gt"}[ours]
    assert subprocess.run(["dpkg", "--compare-versions", left, word, right]).returncode == 0


@pytest.mark.skipif(shutil.which("rpm") is None, reason="rpm is not installed")
@given(pairs=st.lists(st.tuples(versions("^", "_"), versions("^", "_")), min_size=50, max_size=100))
@settings(max_examples=20)
def test_rpm(pairs):
    # rpm.vercmp takes [epoch:]version[-release]: one `-` only, and neither side empty.
    pairs = [(f"1{a.replace('-', '')}-1{b.replace('-', '')}", f"1{b.replace('-', '')}-1") for a, b in pairs]
    text = "\n".join(f"{a} {b}" for a, b in pairs)
    done = subprocess.run(["rpm", "--eval", RPM.format(pairs=text)], capture_output=True, text=True, check=True)
    theirs = list(map(int, done.stdout.split()))
    assert theirs == [sign(version_order.rpm(a), version_order.rpm(b)) for a, b in pairs]


# Of rpm's own tests/rpmvercmp.at.
@pytest.mark.parametrize(("left", "right", "order"), [
    ("1.0", "1.0", 0), ("1.0", "2.0", -1), ("2.0.1a", "2.0.1", 1), ("5.5p1", "5.5p10", -1), ("10xyz", "10.1xyz", -1),
    ("xyz10", "xyz10.1", -1), ("xyz.4", "8", -1), ("5.5p2", "5.6p1", -1), ("5.6p1", "6.5p1", -1), ("6.0.rc1", "6.0", 1),
    ("10b2", "10a1", 1), ("1.0aa", "1.0a", 1), ("10.0001", "10.1", 0), ("10.0001", "10.0039", -1), ("4.999.9", "5.0", -1),
    ("20101122", "20101121", 1), ("2_0", "2.0", 0), ("a+", "a_", 0), ("+a", "_a", 0), ("1.0~rc1", "1.0", -1),
    ("1.0~rc1~git123", "1.0~rc1", -1), ("1.0^", "1.0", 1), ("1.0^git1", "1.0^git2", -1), ("1.0^git1", "1.01", -1),
    ("1.0^20160101", "1.0.1", -1), ("1.0~rc1^git1", "1.0~rc1", 1), ("1.0^git1~pre", "1.0^git1", -1),
])  # fmt: skip
def test_what_rpm_itself_is_tested_with(left, right, order):
    assert sign(version_order.rpm(left), version_order.rpm(right)) == order
    assert sign(version_order.rpm(right), version_order.rpm(left)) == -order
