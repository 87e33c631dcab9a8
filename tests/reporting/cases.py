"""Results that a run of the sample may have, as a real run words them."""

from __future__ import annotations

from typing import Any

NASTY = (
    "<script>alert(1)</script></script><img src=x onerror=alert(2)> \x1b[31mred\x1b[0m \x00\x07\ufffe\ud800 "
    "\u202etxt.exe ]]> &amp; \"quoted\" 'single' {{ 7*7 }} E starts\nE second line\r\nthird"
)


def case(
    runbook: str, verdict: str, severity: str = "P2", target: str = "app1", title: str = "", **more: Any
) -> dict[str, Any]:
    sentence = more.pop("sentence", "")
    if verdict in ("warning", "alert") and not sentence:
        sentence = f"observed {more.get('observed', '')}, expected {more.get('expected', '')}"
    return {
        "runbook": runbook,
        "verdict": verdict,
        "severity": severity,
        "target": target,
        "title": title or f"{runbook.replace('-', ' ').capitalize()} is as promised",
        "action": more.pop("action", "Look into it, then tell the team lead."),
        "schedule": "smoke daily",
        "source": "MON PERF",
        "sentence": sentence,
        **more,
    }


def ordinary() -> list[dict[str, Any]]:
    """One run at 3 am with something of everything."""
    down = "host app1: connection refused"
    band = "< 80 % (alert > 90 %)"
    cases = [
        case("memory-usage", "normal", observed="41 %", expected=band, unit="%", value="41.0"),
        case("cpu-usage", "normal", observed="12 %", expected="< 70 % (alert > 85 %)", unit="%", value="12.0"),
        case("database-connect", "normal", "P1", "main", observed="connected in 3 ms", expected="a connection"),
        case(
            "disk-usage",
            "warning",
            target="db1",
            observed="/var 84 %",
            expected=band,
            unit="%",
            value="84.0",
            title="Every real file system keeps room to grow",
            action="Remove old logs and dumps (see the runbook, 週次メンテナンス), then grow the volume.",
        ),
        case(
            "api-response-time",
            "warning",
            target="blue",
            observed="712 ms (worst 1,204 ms; first byte 690 ms)",
            expected="< 500 ms (alert > 3,000 ms)",
            unit="ms",
            value="712.0",
            title="The API answers fast",
            action="Look at slow queries first, then at the load of the host.",
        ),
        case(
            "api-health",
            "alert",
            "P1",
            "blue",
            observed="503, database: error",
            expected="200, status ok",
            title="The API says it is well",
            action="Restart mycats-backend; if it stays, fail over to green.",
            respond_by="2026-03-02T13:04:00+09:00",
        ),
        case(
            "database-backup-fresh",
            "alert",
            "P1",
            "nightly",
            observed="51.2 h",
            expected="< 25 h (alert > 49 h)",
            unit="h",
            value="51.2",
            title="Last night's database dump is there",
            action="Run the backup by hand, then read the job's log.",
            respond_by="2026-03-02T13:04:00+09:00",
        ),
        case(
            "old-logs-removed",
            "alert",
            "P4",
            "logs",
            observed="14 files older than 30 days",
            expected="none",
            title="Old logs are removed",
            action="Run the weekly clean-up.",
            respond_by="2026-03-09T12:04:00+09:00",
        ),
        case(
            "slow-queries",
            "undetermined",
            "P3",
            "main",
            sentence="pg_stat_statements is not installed",
            title="No query is slow",
        ),
        case(
            "certificate-trust",
            "waived",
            "P1",
            "public",
            sentence="waived by tanaka until 2026-04-01 23:59 UTC: the new CA arrives in March",
            title="The certificate chain verifies",
        ),
        case("retired-slot-stopped", "not applicable", "P3", "", sentence="there is only one slot here"),
        case("statistics-fresh", "broken", "P3", "main", sentence="the check itself broke (KeyError)"),
    ]
    blocked = ["service-active", "inode-usage", "node-version", "release-clean", "application-log-errors"]
    cases += [
        case(name, "blocked", level, sentence=down, cause=down, respond_by="2026-03-02T13:04:00+09:00")
        for name, level in zip(blocked, ["P1", "P2", "P2", "P2", "P2"], strict=True)
    ]
    return cases


def with_history() -> list[dict[str, Any]]:
    """The ordinary run, of which earlier ones are known: a month of nights."""
    began = "2026-02-01T03:04:00+00:00"
    night = [("normal", 28, began), ("alert", 2, "2026-02-28T03:04:00+00:00")]
    band = '{"warning": 80.0, "alert": 90.0, "worse": "above"}'
    days = '{"warning": 25.0, "alert": 49.0, "worse": "above"}'
    told: dict[str, dict[str, Any]] = {
        "api-health": {"change": {"state": "new"}, "spells": [("normal", 60, began)]},
        "database-backup-fresh": {
            "change": {"state": "known", "runs": 3, "days": 2},
            "spells": night,
            "values": [2.0] * 27 + [27.5, 39.1],
            "limits": days,
        },
        "disk-usage": {
            "change": {"state": "worse", "was": "normal"},
            "spells": [("normal", 30, began)],
            "values": [70 + n / 2 for n in range(28)],
            "limits": band,
        },
        "memory-usage": {"limits": band, "values": [41.0, 38.5, 44.0], "spells": [("normal", 3, began)]},
        "cpu-usage": {"change": {"state": "recovered", "was": "alert", "runs": 2, "days": 1}, "spells": night},
        "certificate-trust": {
            "waiver": '{"owner": "tanaka", "expires": "2026-04-01T23:59:00+00:00", "reason": "the new CA"}'
        },
    }
    return [{**one, **told.get(one["runbook"], {})} for one in ordinary()]


def fleet() -> list[dict[str, Any]]:
    """50 hosts: 9 full, 6 dead, 5 of which nobody may see the disk, the others well; and 3 that warn."""
    band, cases = "< 80 % (alert > 90 %)", []
    for n in range(1, 51):
        host = {"target": f"app{n:03}", "target_kind": "hosts", "expected": band, "unit": "%"}
        action = f"Run `ssh app{n:03} df` and make room."
        down = f"host app{n:03}: 10.0.0.{n}: connection refused"
        if n < 10:
            used = {"observed": f"/var {90 + n} %", "value": f"{90 + n}.0"}
            cases.append(case("disk-usage", "alert", **host, **used, action=action))
        elif n < 16:
            cases.append(case("disk-usage", "blocked", **host, sentence=down, cause=down, action=action))
        elif n < 21:
            cases.append(
                case("disk-usage", "undetermined", **host, sentence=f"app{n:03}: <no> privilege", action=action)
            )
        else:
            cases.append(case("disk-usage", "normal", **host, observed=f"/ {n} %", value=f"{n}.0", action=action))
        if n in (3, 4, 5):
            cases.append(case("memory-usage", "warning", **host, observed="85 %", value="85.0"))
    return cases


def healthy() -> list[dict[str, Any]]:
    return [case(f"check-{n}", "normal", observed=f"{n} %", expected="< 80 %") for n in range(12)]


def hostile(half_characters: bool = True) -> list[dict[str, Any]]:
    """Every text that could come from a target is an attack.

    xdist cannot carry half surrogates from a worker (execnet dies of them), so there the plugin must take them out.
    """
    text = NASTY if half_characters else NASTY.replace("\ud800", "")
    texts = dict.fromkeys(("observed", "expected", "sentence", "action", "title"), text)
    return [
        case(f"nasty-{verdict.replace(' ', '-')}", verdict, **texts, cause="")
        for verdict in ("alert", "warning", "normal", "undetermined", "blocked", "waived", "not applicable", "broken")
    ]


def japanese() -> list[dict[str, Any]]:
    down = "host app1: connection refused"
    return [
        case(
            "api-health",
            "alert",
            "P1",
            "blue",
            observed="503, database: error",
            expected="200, status ok",
            sentence="observed 503, database: error, expected 200, status ok; observed no header, expected one",
            title="API が正常に応答している",
            respond_by="2026-03-02T13:04:00+09:00",
            action="mycats-backend を再起動し、回復しない場合は green へ切り替える。",
        ),
        case(
            "disk-usage",
            "warning",
            "P2",
            "db1",
            observed="/var 84 %",
            expected="< 80 % (alert > 90 %)",
            title="すべてのファイルシステムに空き容量がある",
            action="古いログとバックアップを削除し、必要ならボリュームを拡張する。",
        ),
        case("memory-usage", "normal", observed="41 %", expected="< 80 % (alert > 90 %)", title="メモリに余裕がある"),
        case("service-active", "blocked", "P1", title="サービスが稼働している", sentence=down, cause=down),
    ]
