"""What it means that not every address of a name does what it should."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from opsverify.config.bands import Verdict

if TYPE_CHECKING:
    from opsverify.judgements.expect import Expect
    from opsverify.probes.tcp.address_failure import AddressFailure


def judge_addresses(failures: Iterable[AddressFailure], left_out: int, expected: str, expect: Expect) -> None:
    """Judge the addresses of a name that fail, and that there are more than were looked at.

    Users get to any of them. Where nothing takes the connection, most programs go on to the next: a warning.
    """
    for failure in failures:
        expect.that(
            failure.out_of_reach,
            observed=f"{failure.address}: {failure.reason}{', from here' if failure.out_of_reach else ''}",
            expected=f"{expected} at every address of the name",
            otherwise=Verdict.ALERT if failure.connected else Verdict.WARNING,
        )
    if left_out:
        expect.that(
            False,
            observed=f"{left_out} more addresses, not looked at",
            expected=f"{expected} at every address of the name",
            otherwise=Verdict.WARNING,
        )
