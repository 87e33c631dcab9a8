"""`python -m opsverify.site --out DIR`: exit code 0 when it is written, 1 when not, 2 for mistakes of arguments."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from opsverify.errors import ConfigurationError
from opsverify.history.compliance import months
from opsverify.history.records import KEPT_DAYS, HistoryError
from opsverify.history.store import Store
from opsverify.reporting.text import printable
from opsverify.site.about import About, about
from opsverify.site.arguments import Wanted, file_of, wanted
from opsverify.site.capacity import MEASURED, certificates, disks, responses
from opsverify.site.figures import WINDOWS, kept, promises
from opsverify.site.monthly import report
from opsverify.site.pages import Shown, Site, folders
from opsverify.site.words import Words


def main(arguments: Sequence[str], root: Path, now: datetime) -> int:
    """Write the site for the suite in `root` as of `now` (aware)."""
    try:
        asked = wanted(arguments, root)
        shown = _environments(asked, root, now)
    except ConfigurationError as error:
        return _failed(error.mistakes, 2)
    except HistoryError as error:
        return _failed([f"the history could not be read: {error}"], 1)
    site = Site(shown, Words(asked.language), now)
    try:
        site.write(asked.out)
    except OSError as error:
        return _failed([f"--out: {error.filename or asked.out}: {error.strerror}"], 1)
    charts = "" if site.charts else " (without charts: pip install -r requirements-site.txt)"
    print(printable(f"{asked.out / 'index.html'}: {', '.join(one.about.name for one in shown)}{charts}", 2000))
    return 0


def _environments(asked: Wanted, root: Path, now: datetime) -> list[Shown]:
    abouts = asked.environments
    if not abouts:
        names = Store(asked.history).environments()
        if not names:
            raise HistoryError(f"{asked.history.label}: it holds no run")
        abouts = {name: about(name, file_of(root, name), asked.items) for name in names}
    named = folders(abouts)
    return [
        _shown(one, Store(asked.histories.get(name, asked.history)), asked, named[name], now)
        for name, one in abouts.items()
    ]


def _shown(one: About, store: Store, asked: Wanted, folder: str, now: datetime) -> Shown:
    since = now - timedelta(days=KEPT_DAYS)
    results = [result for result in store.past_results(one.name, since) if result.started_at <= now]
    if not results:
        label = asked.histories.get(one.name, asked.history).label
        raise HistoryError(f"{label}: it holds no run of {one.name} in the last {KEPT_DAYS} days")
    figures = store.figures(one.name, MEASURED, since)
    told = promises(results, one, asked.language)
    first, last = results[0].started_at, results[-1].started_at
    return Shown(
        about=one,
        folder=folder,
        first=first,
        last=last,
        kept=kept(told, now),
        responses=responses(figures, now, WINDOWS),
        disks=disks(figures, now, one),
        certificates=certificates(figures, now, one),
        reports=[report(month, told, one, now) for month in months(first, now, one.zone)],
    )


def _failed(sentences: Sequence[str], code: int) -> int:
    for sentence in sentences:
        print(printable(sentence, 2000), file=sys.stderr)
    return code


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:], Path.cwd(), datetime.now(UTC)))
