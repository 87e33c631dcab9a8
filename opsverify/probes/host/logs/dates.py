"""Times as `date` prints them into logs, in the languages that operators' shells speak. Pure.

Wed Nov 25 00:47:04 UTC 2026          C and POSIX
Wed Nov 25 12:47:04 AM JST 2026       en_US
2026年 11月 25日 水曜日 00:47:04 JST     ja_JP
Mi 25. Nov 00:47:04 CET 2026          de_DE
mer. 25 nov. 2026 00:47:04 CET        fr_FR
2026-11-25T00:47:04+09:00             date --iso-8601=seconds
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone

from opsverify.errors import ProbeError

_CLOCK = re.compile(r"(?<!\d)(\d{1,2}):(\d{2}):(\d{2})(?:[.,]\d+)?(?:\s*([AaPp])\.?[Mm]\.?(?![A-Za-z]))?")
_ISO = re.compile(r"(?<!\d)(\d{4})[-/](\d{2})[-/](\d{2})(?!\d)")
_JAPANESE = re.compile(r"(\d{4})年\s*(\d{1,2})月\s*(\d{1,2})日")
_WORDS = re.compile(r"[^\W\d_]+|\d+")
_ZONE = re.compile(r"(?<![\w:])(Z|UTC|GMT|JST|[A-Z]{3,5})(?![\w:])|([+-])(\d{2}):?(\d{2})(?!\d)")
_MONTHS = {
    name: number
    for names in (
        "jan feb mar apr may jun jul aug sep oct nov dec",
        "januar februar märz april mai juni juli august september oktober november dezember",
        "jan feb mär apr mai jun jul aug sep okt nov dez",
        "janv févr mars avr mai juin juil août sept oct nov déc",
        "ene feb mar abr may jun jul ago sep oct nov dic",
        "january february march april may june july august september october november december",
    )
    for number, name in enumerate(names.split(), 1)
}
_KNOWN_ZONES = {"Z": 0, "UTC": 0, "GMT": 0, "JST": 9}


def printed_date(text: str, here: timedelta, zone: str = "") -> datetime | None:
    """The time that `text` begins with or holds, in UTC; None where it holds none that is whole.

    `here` is the host's offset from UTC and `zone` what it calls its time zone: abbreviations are ambiguous, so that
    of another zone than the host's, UTC or JST makes a time unknown.
    """
    clock = _CLOCK.search(text)
    if clock is None:
        return None
    day = _day(text, clock)
    if day is None:
        return None
    hour = int(clock[1])
    if clock[4]:
        hour = hour % 12 + (12 if clock[4] in "Pp" else 0)
    around = text[: clock.start()] + " " + text[clock.end() :]
    offset = _offset(text[clock.end() :], around, here, zone)
    if offset is None:
        return None
    try:
        local = datetime(*day, hour, int(clock[2]), int(clock[3]), tzinfo=timezone(offset))
        return local.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def host_zone(zone: str) -> tuple[timedelta, str]:
    """What `date '+%z %Z'` says of a host's time zone: its offset from UTC, and its name. Raises ProbeError."""
    match = re.fullmatch(r"([+-])(\d{2})(\d{2})(?: (.*))?", zone, re.ASCII)
    if match is None:
        raise ProbeError("the host's time zone could not be determined")
    east = timedelta(hours=int(match[2]), minutes=int(match[3]))
    return (-east if match[1] == "-" else east), match[4] or ""


def without_date(text: str, here: timedelta, zone: str = "") -> str:
    """What follows `<date>: `; all of `text` where it begins with no date that is known."""
    head, separator, rest = text.partition(": ")
    return rest.strip() if separator and printed_date(head, here, zone) else text


def _day(text: str, clock: re.Match[str]) -> tuple[int, int, int] | None:
    for form in (_ISO, _JAPANESE):
        match = form.search(text)
        if match:
            return int(match[1]), int(match[2]), int(match[3])
    words = _WORDS.findall(text[: clock.start()] + " " + text[clock.end() :])
    month = next((_MONTHS[w.lower()] for w in words if w.lower() in _MONTHS), None)
    year = next((int(w) for w in words if w.isdecimal() and len(w) == 4), None)
    day = next((int(w) for w in words if w.isdecimal() and len(w) <= 2), None)
    return None if month is None or year is None or day is None else (year, month, day)


def _offset(after: str, around: str, here: timedelta, zone: str) -> timedelta | None:
    match = _ZONE.search(after) or _ZONE.search(around)
    if match is None:
        return here
    if match[2]:
        east = timedelta(hours=int(match[3]), minutes=int(match[4]))
        return (-east if match[2] == "-" else east) if east < timedelta(hours=24) else None
    if match[1] in _KNOWN_ZONES:
        return timedelta(hours=_KNOWN_ZONES[match[1]])
    return here if match[1] == zone else None


__all__ = ["host_zone", "printed_date", "without_date"]
