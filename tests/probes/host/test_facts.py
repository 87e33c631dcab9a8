"""Every field of a fact, from answers as the scripts print them: a parser that mixes up two of them is found here."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from opsverify.errors import MissingPrivilege, ProbeError
from opsverify.probes.host.files.dumps import MARKER, DatabaseDumps, Dump, DumpListing
from opsverify.probes.host.files.listing import Entry, FileListing, Listing
from opsverify.probes.host.question import KIB, Answer
from opsverify.probes.host.system.cpu import Cpu, CpuUsage
from opsverify.probes.host.system.filesystems import Filesystem, Filesystems
from opsverify.probes.host.system.memory import Memory, MemoryUsage
from opsverify.probes.host.system.service_listens import Listening, ServiceListens
from opsverify.probes.host.system.services import ServiceState, ServiceStatus
from opsverify.probes.host.system.sockets import ListeningSockets, Socket
from opsverify.probes.host.system.versions import CommandVersion, Version, version_of

CLOCK = 1795568065
NOW = datetime.fromtimestamp(CLOCK, UTC)


def answer(*lines: str, **more) -> Answer:
    return Answer("".join(f"{line}\n" for line in lines).encode(), **more)


def at(seconds_ago: int) -> datetime:
    return datetime.fromtimestamp(CLOCK - seconds_ago, UTC)


# --- memory ----------------------------------------------------------------------------------------------------------


def test_memory():
    output = ("MemTotal: 1000 kB", "MemFree: 1 kB", "MemAvailable: 250 kB", "SwapTotal: 200 kB", "SwapFree: 150 kB")
    whole = MemoryUsage(1000 * KIB, 250 * KIB, 75.0, 200 * KIB, 50 * KIB, 25.0)
    assert Memory().parse(answer(*output)) == whole
    assert Memory().parse(answer(*output[:3])) == replace(
        whole, swap_total_bytes=0, swap_used_bytes=0, swap_used_percent=0.0
    )
    assert Memory().parse(answer(*output[:4])).swap_used_percent == 100.0
    assert Memory().parse(answer("MemTotal: 9 kB", "MemAvailable: 9 kB")).used_percent == 0.0
    assert Memory().parse(answer(*output[:3], "SwapTotal: 5 kB", "SwapFree: 6 kB")).swap_used_bytes == 0


@pytest.mark.parametrize(
    ("size", "least", "cache"),
    [(300, 100, 200), (300, 300, 0), (100, 300, 0), (1000, 100, 750)],  # never more than is in use
)
def test_memory_that_zfs_gives_back_is_not_used(size: int, least: int, cache: int):
    arc = ("== arc", "13 1 0x01 147", "name type data", f"c_min 4 {least * KIB}", "c 4 5", f"size 4 {size * KIB}")
    usage = Memory().parse(answer("MemTotal: 1000 kB", "MemAvailable: 250 kB", *arc))
    assert (usage.zfs_cache_bytes, usage.available_bytes) == (cache * KIB, (250 + cache) * KIB)
    assert usage.used_percent == (750 - cache) / 10


def test_memory_says_what_zfs_left_out():
    with pytest.raises(ProbeError, match=r"^memory usage could not be determined: ZFS's arcstats has no size or no c_"):
        Memory().parse(answer("MemTotal: 9 kB", "MemAvailable: 5 kB", "== arc", "size 4 5"))


def test_memory_of_an_old_kernel_that_counts_less():
    output = ("MemTotal: 1000 kB", "MemFree: 100 kB", "Buffers: 20 kB", "Cached: 3 kB")
    assert Memory().parse(answer(*output)).available_bytes == 123 * KIB
    assert Memory().parse(answer(*output, "Shmem: 500 kB")).available_bytes == 0


def test_memory_says_what_is_missing():
    with pytest.raises(ProbeError, match=r"^memory usage could not be determined: /proc/meminfo is empty"):
        Memory().parse(answer())
    with pytest.raises(ProbeError, match=r"/proc/meminfo has no MemTotal$"):
        Memory().parse(answer("MemAvailable: 5 kB"))
    with pytest.raises(
        ProbeError, match=r"^memory usage could not be determined: more memory is available than there is$"
    ):
        Memory().parse(answer("MemTotal: 5 kB", "MemAvailable: 6 kB"))
    with pytest.raises(ProbeError, match=r"^MemTotal could not be determined"):
        Memory().parse(answer("MemTotal: x kB", "MemAvailable: 5 kB"))
    with pytest.raises(ProbeError, match=r"^memory usage could not be determined: the host counts 0 in total"):
        Memory().parse(answer("MemTotal: 0 kB", "MemAvailable: 0 kB"))


# --- CPU -------------------------------------------------------------------------------------------------------------


def cpu(first: str, second: str, load: str = "0.50 0.40 0.30", *cores: str) -> Answer:
    return answer("== first", first, "== second", second, *cores, "== load", load)


def test_cpu():
    output = cpu(
        "cpu 100 10 100 800 10 1 2 3 9 9", "cpu 130 20 120 900 35 2 4 15 99 99", "0.50 0.40 0.30", "cpu0 1", "cpu1 1"
    )
    assert Cpu().parse(output) == CpuUsage(pytest.approx(37.5), 2, 0.5, 0.4, 0.3, pytest.approx(12.5))


def test_cpu_of_the_shortest_line_and_interval():
    assert Cpu().parse(cpu("cpu 1 2 3 4", "cpu 2 2 3 4")) == CpuUsage(100.0, 1, 0.5, 0.4, 0.3, 0.0)


def test_cpu_whose_waiting_runs_backwards():
    facts = Cpu().parse(cpu("cpu 0 0 0 0 9", "cpu 50 0 0 50 5"))
    assert (facts.busy_percent, facts.iowait_percent) == (50.0, 0.0)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (
            cpu("cpu 1 2 3 4", "cpu 1 2 3 4"),
            "^CPU usage could not be determined: no time passed between the two samples$",
        ),
        (
            cpu("cpu 1 2 3", "cpu 2 2 3"),
            "^CPU usage could not be determined: .*does not start with the line of all CPUs$",
        ),
        (cpu("cpu0 1 2 3 4", "cpu0 2 2 3 4"), "does not start with the line of all CPUs"),
        (
            cpu("cpu 1 2 3 4", "cpu 2 2 3 4", "0.5 0.4"),
            "^the load averages could not be determined: /proc/loadavg has too few fields$",
        ),
        (cpu("cpu 1 2 3 4", "cpu 2 2 3 x"), "^CPU time could not be determined: 'x'"),
        (cpu("cpu 1 2 3 4", "cpu 2 2 3 4", "x 0 0"), "^load average could not be determined: 'x'"),
        (cpu("cpu 1 2 3 4", "cpu 2 2 3 4", "0 x 0"), "^load average could not be determined: 'x'"),
        (cpu("cpu 1 2 3 4", "cpu 2 2 3 4", "0 0 x"), "^load average could not be determined: 'x'"),
        (answer("== first", "cpu 1 2 3 4", "== second", "== load", "0 0 0"), "^CPU usage .*not read twice$"),
    ],
)
def test_cpu_says_why_not(text, why):
    with pytest.raises(ProbeError, match=why):
        Cpu().parse(text)


# --- file systems ----------------------------------------------------------------------------------------------------

ROOM, INODES = "/dev/sda1 1000 600 200 75% /", "/dev/sda1 100 25 75 25% /"


def fs(*found: str, status="0", inodes=INODES, mount="/dev/sda1 / ext4") -> list[str]:
    return [f"== fs {mount}", "Filesystem Used", *found, f"== status {status}", "== inodes", inodes]


def filesystems(*parts: list[str], question=Filesystems()) -> tuple[Filesystem, ...]:  # noqa: B008 - frozen
    return question.parse(answer("== mounts", *(line for part in parts for line in part), "== end"))


ROOT = Filesystem("/", "/dev/sda1", "ext4", 1000 * KIB, 200 * KIB, 75.0, 25.0)


def test_filesystem():
    assert filesystems(fs(ROOM)) == (ROOT,)
    assert filesystems(fs("/dev/sda1 1 1 0 100% /"))[0].used_percent == 100.0
    assert filesystems(fs("/dev/sda1 100 10 90 10% /"))[0].used_percent == 10.0
    assert filesystems(fs("/dev/sda1", "1000 600 200 75% /", inodes="/dev/sda1\n100 25 75 25% /")) == (ROOT,)
    assert filesystems(fs(ROOM, mount=" / ext4")) == (replace(ROOT, device=""),)
    # Of what is reserved for root, more may be used than ordinary users have left.
    assert filesystems(fs("/dev/sda1 1000 1000 -50 105% /"))[0] == replace(ROOT, available_bytes=0, used_percent=100.0)


UNREAD = Filesystem("/", "/dev/sda1", "ext4", None, None, None, None)


@pytest.mark.parametrize(
    ("part", "problem"),
    [
        (fs("", status="124"), "/ did not answer within 3 s"),
        (fs("", status="137"), "/ did not answer within 3 s"),
        (fs("", status="143"), "/ did not answer within 3 s"),
        (fs(ROOM, status="1"), "df could not read /: Filesystem Used"),
        (["== fs /dev/sda1 / ext4", " df: /: Permission denied ", "== status 1"],
         "df could not read /: df: /: Permission denied (this account needs x on every folder above it)"),
        (["== fs /dev/sda1 / ext4", "== status 0"], "df could not read /: no figures"),
        (["== fs /dev/sda1 / ext4", ROOM, "== other 0"], f"df could not read /: {ROOM}"),
        (["== fs /dev/sda1 / ext4", ROOM], f"df could not read /: {ROOM}"),
        (fs("/dev/sda1 0 0 0 - /"), "df counts no blocks on /"),
        (fs("/dev/sda1 - 600 200 75% /"), "the size of / could not be determined: '-' is not a whole number"),
        (fs("/dev/sda1 1000 - 200 75% /"), "the use of / could not be determined: '-' is not a whole number"),
        (fs(f"/dev/sda1 1000 600 {'9' * 21} 75% /"), f"the room on / could not be determined: '{'9' * 21}' is not a whole number"),
    ],
)  # fmt: skip
def test_filesystem_that_gives_no_figures(part, problem):
    assert filesystems(part) == (replace(UNREAD, problem=problem),)


@pytest.mark.parametrize(
    ("inodes", "problem"),
    [
        ("/dev/sda1 0 0 0 - /", None),
        ("/dev/sda1 - - - - /", None),
        ("/dev/sda1 100 - 75 25% /", "df gave no number of used inodes of /"),
        ("", "df gave no inodes of /"),
    ],
)
def test_inodes_that_are_not_known(inodes, problem):
    expected = replace(ROOT, inodes_used_percent=None, inodes_problem=problem)
    assert filesystems(fs(ROOM, inodes=inodes)) == (expected,)


def test_inodes_whose_part_is_missing():
    last = ["== fs /dev/sda1 / ext4", ROOM, "== status 0"]
    (root,) = filesystems(last)
    assert root.inodes_problem == "df gave no inodes of /"
    assert filesystems(["== fs /dev/sda1 / ext4", ROOM, "== status 0", "== other", INODES])[0] == root


def test_mount_whose_line_is_cut_off():
    assert filesystems(["== fs"]) == (Filesystem("", "", "", None, None, None, None, "df could not read : no figures"),)


def test_each_device_is_told_once():
    def mounted(*pairs: str) -> list[str]:
        return [one.mount for one in filesystems(*(fs(ROOM, mount=f"{pair} ext4") for pair in pairs))]

    assert mounted("/dev/a /srv/bind", "/dev/a /srv", "/dev/a /mnt") == ["/srv"]  # of equals, the first
    assert mounted("tank /b", "tank /a") == ["/a", "/b"]  # names that are no device
    denied = fs("df: /srv: Permission denied", mount="/dev/a /srv ext4", status="1")
    seen = filesystems(denied, fs(ROOM, mount="/dev/a /mnt/deeper ext4"))
    assert [one.mount for one in seen] == ["/mnt/deeper"]  # the same one, and readable
    hidden = filesystems(fs(ROOM, mount="/dev/a / ext4"), fs(ROOM, mount="/dev/b / xfs"))
    assert [(one.device, one.type) for one in hidden] == [("/dev/b", "xfs")]


def test_filesystems_that_were_asked_for():
    parts = (fs(ROOM, mount="/dev/a /srv/bind ext4"), fs(ROOM, mount="/dev/a /srv ext4"))
    question = Filesystems(only=("/srv", "/srv/bind", "/gone", "/left"), ignore=("/left",))
    result = filesystems(*parts, question=question)
    assert [one.mount for one in result] == ["/srv", "/srv/bind", "/gone"]
    assert result[2] == Filesystem("/gone", "", "", None, None, None, None, "/gone is not mounted")


def test_filesystems_that_were_not_read_to_the_end():
    with pytest.raises(ProbeError, match="^the file systems .*: the list of mounts was not read to its end$"):
        Filesystems().parse(answer("== mounts", *fs(ROOM)))
    with pytest.raises(ProbeError, match="not read to its end"):
        Filesystems().parse(answer("== mounts", *fs(ROOM), "== end", truncated=True))
    with pytest.raises(ProbeError, match="^the file systems could not be determined: no real one is mounted$"):
        filesystems()


# --- services --------------------------------------------------------------------------------------------------------


def service(*units: dict[str, str], uptime: float = 9000, journal: tuple[str, ...] = ()) -> ServiceStatus:
    loaded = {"LoadState": "loaded", "ActiveState": "active", "SubState": "running", "UnitFileState": "enabled"}
    output = "\n\n".join("\n".join(f"{key}={value}" for key, value in (loaded | one).items()) for one in units)
    return ServiceState(unit="a").parse(answer(f"== clock {CLOCK} {uptime}", "== units", output, *journal))


def restarted(times: int, minutes_ago: float, name: str = "a.service") -> dict[str, str]:
    return {"Id": name, "NRestarts": str(times), "ActiveEnterTimestamp": f"@{CLOCK - 60 * minutes_ago:.0f}"}


def journal(count: int, oldest_minutes: float) -> tuple[str, ...]:
    return (
        f"== restarted {count}",
        f"== window {CLOCK - 3600}",
        f"== oldest {CLOCK - 60 * oldest_minutes:.0f}" if oldest_minutes else "== oldest ",
    )


@pytest.mark.parametrize(
    ("units", "uptime", "text", "recent", "complete"),
    [
        ([restarted(7, 5)], 3599, (), 7, True),  # booted within the window: systemd's counter is all there is
        ([restarted(7, 5)], 3600, (), None, False),
        ([restarted(7, 5)], 9000, journal(2, 60), 2, True),
        ([restarted(7, 5)], 9000, journal(2, 59), 2, False),
        ([restarted(7, 5)], 9000, journal(2, 0), 2, False),
        ([restarted(7, 5)], 9000, journal(0, 99), 0, False),  # at least the last one is missing
        ([restarted(7, 61)], 9000, journal(0, 99), 0, True),
        ([restarted(0, 5)], 9000, journal(0, 99), 0, True),
        # What was started by hand a moment ago is not what was restarted days ago.
        ([restarted(0, 5), restarted(7, 5000, "a@b.service")], 9000, journal(0, 99), 0, True),
    ],
)
def test_restarts_that_are_known(units, uptime, text, recent, complete):
    status = service(*units, uptime=uptime, journal=text)
    assert (status.recent_restarts, status.recent_restarts_complete) == (recent, complete)


def test_when_something_was_restarted_last():
    assert service(restarted(0, 5)).last_restart is None
    status = service(restarted(0, 5), restarted(2, 50, "a@b.service"), restarted(1, 90, "a@c.service"))
    assert status.last_restart == at(50 * 60)
    assert status.restarts == 2


@pytest.mark.parametrize(
    ("main", "instance", "enabled"),
    [
        ({"SubState": "exited"}, {}, True),
        ({"SubState": "exited"}, {"UnitFileState": "enabled-runtime"}, True),
        ({"SubState": "exited"}, {"UnitFileState": "disabled"}, False),
        ({"SubState": "exited"}, {"UnitFileState": "disabled", "ActiveState": "inactive"}, True),
        ({"SubState": "exited", "UnitFileState": "disabled"}, {}, False),
        ({}, {"UnitFileState": "disabled"}, True),  # it runs itself
        ({"LoadState": "not-found", "ActiveState": "inactive", "UnitFileState": ""}, {}, True),
        (
            {"LoadState": "not-found", "ActiveState": "inactive", "UnitFileState": ""},
            {"UnitFileState": "disabled"},
            False,
        ),
    ],
)
def test_what_starts_at_boot(main, instance, enabled):
    assert service({"Id": "a.service"} | main, {"Id": "a@b.service"} | instance).enabled is enabled


# --- files -----------------------------------------------------------------------------------------------------------

FOLDER = ("== folder /b", f"== clock {CLOCK}")


def test_files():
    output = answer(
        *FOLDER, "== files", f"{CLOCK - 9} 10 640 root 0 ./old", f"{CLOCK} 5 604 UNKNOWN 1007 ./sub/b//c",
        f"{CLOCK} 7 600 me 1 ./a", "== end",
    )  # fmt: skip
    old, strange, a = (
        Entry("old", 10, at(9), "640", "root"),
        Entry("sub/b\nc", 5, NOW, "604", "1007"),
        Entry("a", 7, NOW, "600", "me"),
    )
    assert FileListing("/b").parse(output) == Listing("/b", True, (strange, a, old), 3, 22, NOW)
    assert FileListing("/b", newest=1).parse(output) == Listing("/b", True, (strange,), 3, 22, NOW)
    assert [one.world_readable for one in (old, strange, a)] == [False, True, False]


@pytest.mark.parametrize("question", [FileListing("/b"), DatabaseDumps("/b")])
def test_folder_that_is_not_there_or_not_ours(question):
    for output in ("No such file or directory", "Not a directory", "ls: /b: not found"):
        listing = question.parse(answer(f"== nofolder {output}"))
        assert (listing.folder, listing.exists) == ("/b", False)
    with pytest.raises(MissingPrivilege, match=r"in /b could not be determined: this account may not read /b$"):
        question.parse(answer("== nofolder ls: Permission denied"))
    with pytest.raises(ProbeError, match=r"in /b could not be determined: Input/output error$"):
        question.parse(answer("== nofolder Input/output error"))
    with pytest.raises(ProbeError, match=r"the folder cannot be entered$"):
        question.parse(answer("== nofolder "))
    with pytest.raises(ProbeError, match=r"in /b could not be determined: the host gave no reason"):
        question.parse(answer("== files", "== end"))


def test_files_that_were_not_listed_to_the_end():
    with pytest.raises(ProbeError, match=r"^the files \* in /b could not be determined: it ended early$"):
        FileListing("/b").parse(answer(*FOLDER, "== files"))
    with pytest.raises(ProbeError, match=r"it ended early$"):
        FileListing("/b").parse(answer(*FOLDER, "== end"))
    with pytest.raises(ProbeError, match=r"there are more than 4,194,304 bytes of them$"):
        FileListing("/b").parse(answer(*FOLDER, "== files", truncated=True))
    with pytest.raises(ProbeError, match=r"^the host's clock could not be determined: ''"):
        FileListing("/b").parse(answer("== folder /b", "== files", "== end"))
    with pytest.raises(ProbeError, match=r"^the host's clock could not be determined: 1e\+19 is no point in time"):
        FileListing("/b").parse(answer("== folder /b", "== clock 9999999999999999999", "== files", "== end"))
    with pytest.raises(ProbeError, match="could not be understood: 'x'"):
        FileListing("/b").parse(answer(*FOLDER, "== files", "x", "== end"))
    for line, what in (
        (f"{'9' * 21} 1", "the time of"),
        (f"1 {'9' * 21}", "the size of"),
        (f"{'9' * 19} 1", "the time of"),
    ):
        with pytest.raises(ProbeError, match=f"^{what} a could not be determined"):
            FileListing("/b").parse(answer(*FOLDER, "== files", f"{line} 640 root 0 ./a", "== end"))


# --- dumps -----------------------------------------------------------------------------------------------------------

HEADER = b"--\n-- PostgreSQL database dump\n--\n\n-- Dumped from database version 15.18\n-- Dumped by pg_dump version 16.4\n\n"
END = f"--\n{MARKER}\n--\n\n".encode()
LINE = "{} 10 640 root 0 ./db_1.sql"
OLD = LINE.format(CLOCK - 999)


def ends(head: bytes, tail: bytes, name="db_1.sql") -> list[str]:
    return [f"== head ./{name}", f" {head.hex(' ')}", f"== tail ./{name}", f" {tail.hex(' ')}"]


def dumps(*rest: str, before=OLD, files=OLD, opened="") -> DumpListing:
    return DatabaseDumps("/b").parse(
        answer(
            "== folder /b",
            "== before",
            before,
            f"== clock {CLOCK}",
            "== files",
            files,
            "== open",
            opened,
            *rest,
            "== end",
        )
    )


WHOLE = Dump("db_1.sql", 10, at(999), "640", "root", False, True, "plain", True, None, 0, False, "15.18", "16.4")


def test_dump():
    assert dumps(*ends(HEADER, HEADER + END)) == DumpListing("/b", True, (WHOLE,), NOW)
    assert dumps(before="", files="") == DumpListing("/b", True, (), NOW)


def test_dumps_are_told_newest_first():
    lines = "\n".join(f"{CLOCK - age} 1 640 root 0 ./{name}" for age, name in ((9, "b"), (99, "c"), (9, "d"), (0, "a")))
    assert [dump.name for dump in dumps(before=lines, files=lines).dumps] == ["a", "d", "b", "c"]


def test_dump_that_is_being_written():
    looked = ends(HEADER, HEADER + END)
    assert dumps(*looked, before=LINE.format(CLOCK - 1000)).dumps == (replace(WHOLE, writing=True),)
    held = "l-wx------ 1 root root 64 Nov 25 01:00 /proc/7/fd/3 -> /b/{}"
    assert dumps(*looked, opened=held.format("db_1.sql")).dumps == (replace(WHOLE, writing=True),)
    assert dumps(*looked, opened=held.format("odd -> /b/db_1.sql")).dumps == (replace(WHOLE, writing=True),)
    assert dumps(*looked, opened=held.format("other_db_1.sql")).dumps == (WHOLE,)


@pytest.mark.parametrize(("age", "writing"), [(119, True), (120, False)])
def test_young_dump_without_an_end_is_being_written(age, writing):
    line = LINE.format(CLOCK - age)
    (dump,) = dumps(*ends(HEADER, HEADER), before=line, files=line).dumps
    assert (dump.writing, dump.complete) == (writing, False)
    (whole,) = dumps(*ends(HEADER, END), before=line, files=line).dumps
    (failed,) = dumps(*ends(HEADER, b"pg_dump: error: gone\n"), before=line, files=line).dumps
    assert not whole.writing
    assert not failed.writing


def test_dump_that_was_not_looked_at():
    other = Dump("db_1.sql", 10, at(999), "640", "root", False)
    assert dumps().dumps == (other,)
    assert dumps("== denied ./db_1.sql").dumps == (replace(other, unreadable=True),)
    assert dumps("== denied ./db_2.sql").dumps == (other,)
    assert dumps(*ends(HEADER, END)[:2]).dumps == dumps(*ends(HEADER, END)[2:]).dumps == (other,)


@pytest.mark.parametrize(
    ("head", "kind", "complete"),
    [
        (b"PGDMP\x01", "custom", None),
        (b"\x1f\x8b\x08", "gzip", None),
        (b"\x28\xb5\x2f\xfd", "zstd", None),
        (b"\xfd7zXZ\x00", "xz", None),
        (b"BZh9", "bzip2", None),
        (b"a" * 257 + b"ustar\x00", "tar", None),
        (b"", "empty", False),
        (b"\x00\x01", "unknown", True),
        (b"--\n", "plain", True),
    ],
)
def test_format_of_a_dump(head, kind, complete):
    (dump,) = dumps(*ends(head, END)).dumps
    assert (dump.format, dump.complete) == (kind, complete)


@pytest.mark.parametrize(
    ("head", "tail", "text"),
    [
        (b"pg_dump: error: no\nx\n", b"", "pg_dump: error: no"),
        (b"psql: FATAL:  no\n", b"", "psql: FATAL:  no"),
        (HEADER + b"ERROR: a row\n", b"ERROR: a row\n", None),
        (HEADER, b"pg_dump: error: a row\n\\.\n\n", None),
        (HEADER, b"a\n\\.\npg_dump: error: a row\n\\.\nx\npg_dump: error: gone\n", "pg_dump: error: gone"),
        (HEADER, b"pg_dump: error: gone\xff\n", "pg_dump: error: gone\ufffd"),
        (b"\x00pg\npg_dump: error: no", b"", "pg_dump: error: no"),
        (b"\xff\nERROR: no\n-- PostgreSQL database dump\nERROR: row\n-- PostgreSQL database dump\n", b"", "ERROR: no"),
        (b"BZh\npg_dump: error: no", b"", None),
    ],
)
def test_error_in_a_dump(head, tail, text):
    (dump,) = dumps(*ends(head, tail)).dumps
    assert dump.error_text == text


def test_end_of_a_dump_in_other_bytes():
    (dump,) = dumps(*ends(HEADER, b"\xff\r\n" + END.replace(b"\n", b"\r\n"))).dumps
    assert dump.complete


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (answer("== folder /b", "== before", f"== clock {CLOCK}"), "it ended early"),
        (answer("== folder /b", "== before", truncated=True), "too many to list"),
        (
            answer("== folder /b", f"== clock {CLOCK}", "== before", "== files", "== end"),
            "part of the answer is missing",
        ),
    ],
)
def test_dumps_that_were_not_listed_to_the_end(text, why):
    with pytest.raises(ProbeError, match=rf"^the dumps db_\*\.sql in /b could not be determined: {why}$"):
        DatabaseDumps("/b").parse(text)


def test_dump_whose_bytes_are_none():
    with pytest.raises(ProbeError, match="^a dump could not be read: the host printed something else than its bytes$"):
        dumps("== head ./db_1.sql", "od: not found")
    (dump,) = dumps("== head ./db_1.sql", " 50 47", " 44 4d 50", "== tail ./db_1.sql", " 00").dumps
    assert dump.format == "custom"


# --- sockets ---------------------------------------------------------------------------------------------------------

LOCAL, ALL = "0100007F:0BBC 11 0", "00000000:0BBC 12 0"


def listens(
    *owners: str,
    family=("7 9 1 50 node", "6 9 1 40 sh", "9 1 0 30 npm"),
    sockets=(LOCAL, ALL),
    names=("7 npm", "9 node x"),
    **more,
):
    return ServiceListens(unit="a.service", port=3004).parse(
        answer("== family", *family, "== sockets", *sockets, "== owners", *owners, "== names", *names, **more)
    )


def test_port_of_a_service():
    whole = Listening(3004, True, ("0.0.0.0", "127.0.0.1"), 9, "node x", True, (9, 7, 6))
    assert listens("5 12", "9 11") == whole
    assert listens("5 12", names=("5 nginx",)) == replace(
        whole, owner_pid=5, owner_name="nginx", is_service_process=False
    )
    assert listens() == replace(whole, owner_pid=None, owner_name=None, is_service_process=None)
    assert listens(names=("None x",)).owner_name is None
    assert listens(family=("",), sockets=("",)) == Listening(3004, False, (), None, None, None, ())


@pytest.mark.parametrize("part", ["family", "names", "sockets", "owners"])
def test_port_of_which_part_of_the_answer_is_missing(part):
    blocks = [f"== {name}" for name in ("family", "sockets", "owners", "names") if name != part]
    with pytest.raises(ProbeError, match="could not be determined: the (host's sockets were not|list was not) read"):
        ServiceListens(unit="a.service", port=3004).parse(answer(*blocks))


def test_port_says_why_not():
    with pytest.raises(ProbeError, match=r"^port 3004 of a\.service could not be determined: the host's sockets were"):
        listens(status=3)
    with pytest.raises(ProbeError, match="^a process id could not be determined: 'x'"):
        listens(family=("x 1 1 50 node",))
    with pytest.raises(ProbeError, match="^a process id could not be determined: 'x'"):
        listens("x 11")


def test_socket():
    (socket,) = ListeningSockets().parse(
        answer("== sockets", "0100007F:0BBC 11 70", "== owners", "9 11", "7 11", "5 70")
    )
    assert socket == Socket("127.0.0.1", 3004, 11, (7, 9))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (answer(), "^the listening sockets could not be determined: the host gave no reason"),
        (answer("== sockets"), "^the listening sockets could not be determined: the list was not read to its end$"),
        (answer("== sockets", "== owners", truncated=True), "not read to its end$"),
        (answer("== sockets", "x", "== owners"), "^the listening sockets could not be determined: 'x' is none$"),
        (answer("== sockets", f"00000000:0BBC {'9' * 21} 0", "== owners"), "^a socket's inode could not be determined"),
    ],
)
def test_sockets_say_why_not(text, why):
    with pytest.raises(ProbeError, match=why):
        ListeningSockets().parse(text)


# --- versions --------------------------------------------------------------------------------------------------------


def test_version_of_a_command():
    question = CommandVersion("node")
    assert question.parse(answer("== missing")) == Version(False)
    output = ("== path /usr/bin/node", "== version", "a warning", "v20.1.3")
    assert question.parse(answer(*output)) == Version(True, "20.1.3", (20, 1, 3), "/usr/bin/node")
    assert question.parse(answer("== path /p", "== version", "1.2", "3.4")).text == "1.2"
    assert version_of("it", "版1.2").text == "1.2"
    assert version_of("it", "1.2") == Version(True, "1.2", (1, 2))
    for part in ("== path /p", "== version"):
        with pytest.raises(ProbeError, match="^the version of node could not be determined: the host gave no reason"):
            question.parse(answer(part))
    with pytest.raises(ProbeError, match="^the version of node could not be determined: no version in 'none'$"):
        question.parse(answer("== path /p", "== version", "none"))
