"""Application archives, read to their end."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from opsverify.errors import MissingPrivilege
from opsverify.probes.host.files.listing import FOLDER, clock, missing, parse_entries
from opsverify.probes.host.question import Answer, Question, integer, one_line, quote


@dataclass(frozen=True)
class Archive:
    """The newest finished archive of a folder. `name` is None where there is none."""

    folder: str
    exists: bool
    """Whether the folder is there."""
    name: str | None = None
    size_bytes: int | None = None
    modified: datetime | None = None
    readable: bool = False
    """Whether it decompresses and lists to its very end, checksum included."""
    error: str | None = None
    members: int = 0
    held: frozenset[str] = frozenset()
    """Those of `must_hold` that it holds."""
    forbidden: tuple[tuple[str, str], ...] = ()
    """(one of `must_not_hold`, the first member that shows it)."""
    observed_at: datetime | None = None


@dataclass(frozen=True)
class ArchiveContents(Question):
    """Read the newest finished archive that matches to its end, on the host, and look for names in it.

    A name such as `backend` or `backend/package.json` is held where it stands in a member's path, folder by folder. It
    takes as long as decompressing does, at the lowest priority: ask it through `archive_probe`. Nothing is unpacked.
    Privileges: to list the folder and read the archive. Source: tar(1), gzip(1).
    """

    folder: str
    pattern: str = "app_*.tar.gz"
    must_hold: tuple[str, ...] = ()
    must_not_hold: tuple[str, ...] = ()

    helpers = (FOLDER,)
    slow: ClassVar[bool] = True
    seconds: ClassVar[float] = 86400.0

    @property
    def title(self) -> str:
        return f"the newest archive {self.pattern} in {self.folder}"

    def script(self) -> str:
        hold, ban = quote("\n".join(self.must_hold)), quote("\n".join(self.must_not_hold))
        return f"""folder {quote(self.folder)}
b=$(listing {quote(self.pattern)}); sleep 1; a=$(listing {quote(self.pattern)})
echo "== clock $(date +%s)"
open=$(ls -l /proc/[0-9]*/fd 2>/dev/null | grep -F -- "-> $here/" | grep '^l.w' | sed 's/^.* -> //')
l=$({{ printf '%s\\n' "$b" | sed 's/^/b/'; printf '%s\\n' "$open" | sed 's/^/o/'
printf '%s\\n' "$a" | sort -rn | sed 's/^/a/'
}} | awk -v here="$here" '
/^b/ {{ same[substr($0, 2)] = 1 }}
/^o/ {{ busy[substr($0, 2)] = 1 }}
/^a./ {{ line = f = substr($0, 2); sub(/^[0-9]+ [0-9]+ [0-7]+ [^ ]+ [0-9]+ \\.\\//, "", f)
if ((line in same) && !((here "/" f) in busy)) {{ print line; exit }} }}')
[ -n "$l" ] || {{ echo '== none'; exit 0; }}
echo '== file'; printf '%s\\n' "$l"
f=$(printf '%s\\n' "$l" | sed 's/^[^ ]* [^ ]* [^ ]* [^ ]* [^ ]* //')
[ -r "$f" ] || {{ echo '== denied'; exit 0; }}
n='nice -n 19'; ionice -c 3 true 2>/dev/null && n="$n ionice -c 3"
case $f in
*.gz|*.tgz) d='gzip -dc';; *.xz|*.txz) d='xz -dc';; *.zst) d='zstd -dc';; *.bz2) d='bzip2 -dc';; *) d=cat;;
esac
export HOLD={hold} BAN={ban}
{{ {{ {{ $n $d < "$f" 3>&-; printf '== unpack %s\\n' "$?" >&3; }} |
{{ $n tar -tf - 3>&-; printf '== list %s\\n' "$?" >&3; cat >/dev/null; }}; }} | awk '
BEGIN {{ h = split(ENVIRON["HOLD"], hold, "\\n"); b = split(ENVIRON["BAN"], ban, "\\n") }}
{{ n++; p = "/" $0 "/"; gsub(/\\/\\/+/, "/", p)
for (i = 1; i <= h; i++) if (hold[i] != "" && !(i in held) && index(p, "/" hold[i] "/")) held[i] = 1
for (i = 1; i <= b; i++)
if (ban[i] != "" && !(i in banned) && index(p, "/" ban[i] "/")) banned[i] = $0 }}
END {{ print "== members " n + 0; for (i in held) print "== held " hold[i]
for (i in banned) {{ print "== forbidden " ban[i]; print " " substr(banned[i], 1, 300) }}
print "== end" }}' >&3; }} 3>&1
exit 0
"""

    def parse(self, answer: Answer) -> Archive:
        if missing(self.title, self.folder, answer):
            return Archive(self.folder, exists=False)
        now = clock(answer)
        if answer.block("none"):
            return Archive(self.folder, exists=True, observed_at=now)
        file = answer.block("file")
        entries = parse_entries(file.lines) if file else []
        if not entries:
            raise answer.failure(self.title)
        entry = entries[0]
        if answer.block("denied"):
            raise MissingPrivilege(f"{self.title} could not be determined: this account may not read {entry.name}")
        unpack, listed, members = (answer.block(name) for name in ("unpack", "list", "members"))
        if unpack is None or listed is None or members is None or answer.block("end") is None:
            raise answer.failure(self.title, "reading it was broken off")
        absent = re.search(r"(gzip|tar|xz|zstd|bzip2): not found", answer.errors)
        if absent:
            raise answer.failure(self.title, f"the host has no {absent[1]}")
        whole = unpack.rest == "0" and listed.rest == "0"
        return Archive(
            folder=self.folder,
            exists=True,
            name=entry.name,
            size_bytes=entry.size_bytes,
            modified=entry.modified,
            readable=whole,
            error=None if whole else one_line(answer.errors) or "it does not read to its end",
            members=integer(members.rest, "the number of members"),
            held=frozenset(block.rest for block in answer.blocks() if block.name == "held"),
            forbidden=tuple(
                sorted((b.rest, b.lines[0][1:] if b.lines else "") for b in answer.blocks() if b.name == "forbidden")
            ),
            observed_at=now,
        )
