"""What changes something on purpose runs only when it is asked for."""

import pytest

from opsverify.plugin.selection import asked_for

ASKED = ("drill", "weekly or drill", "drill and P2", "(drill or P1) and not smoke", "not not drill")
NOT_ASKED = ("", "weekly", "not drill", "not smoke", "not (drill or weekly)", "not drill or P2", "drills", "drill or")


@pytest.mark.parametrize("expression", ASKED)
def test_a_drill_is_asked_for_by_name(expression):
    assert asked_for("drill", expression)


@pytest.mark.parametrize("expression", [*NOT_ASKED, "(", "a:b and drill"])
def test_nothing_else_asks_for_a_drill(expression):
    assert not asked_for("drill", expression)


def test_other_checks_need_not_be_asked_for():
    assert asked_for(None, "")
