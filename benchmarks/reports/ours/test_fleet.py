"""What the checks of a run do, without a system: they fail with one sentence."""

import pytest

from benchmarks.reports.fleet import FIGURES, HOSTS, LIMIT, percent


@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.parametrize("figure", FIGURES)
def test_figure(figure, host):
    assert percent(figure, host) < LIMIT
