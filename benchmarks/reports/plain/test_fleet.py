"""The usual way: one assert per figure and host."""

import pytest

from benchmarks.reports.fleet import FIGURES, HOSTS, LIMIT, percent


@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.parametrize("figure", FIGURES)
def test_figure(figure, host):
    used = percent(figure, host)
    assert used < LIMIT, f"{figure} of {host} is {used} %"
