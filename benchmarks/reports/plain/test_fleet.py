"""The usual way: one assert per figure and host."""

import pytest

from benchmarks.reports.fleet import LIMIT, PAIRS, percent


@pytest.mark.parametrize(("host", "figure"), PAIRS)
def test_figure(figure, host):
    used = percent(figure, host)
    assert used < LIMIT, f"{figure} of {host} is {used} %"
