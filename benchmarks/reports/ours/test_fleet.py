"""What the checks of a run do, without a system: they fail with one sentence."""

import pytest

from benchmarks.reports.fleet import LIMIT, PAIRS, percent


@pytest.mark.parametrize(("host", "figure"), PAIRS)
def test_figure(figure, host):
    assert percent(figure, host) < LIMIT
