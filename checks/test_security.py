"""Security: what the runbook's daily, weekly and monthly security chapters promise."""

from datetime import timedelta

from opsverify import runbook
from opsverify.config.bands import Verdict
from opsverify.errors import MissingPrivilege, NotApplicable, ProbeError
from opsverify.evidence.age import age
from opsverify.judgements.addresses import judge_addresses
from opsverify.judgements.exposure import everywhere, public_addresses
from opsverify.judgements.many import few
from opsverify.judgements.transport_security import frame_ancestors, framed_by_anyone, max_age
from opsverify.judgements.windows import readable, within


@runbook("dependency-audit")
def test_dependency_audit(dependency_audit, settings, expect):
    """No production dependency has a known vulnerability that is worth an alert."""
    audit = dependency_audit
    counted = ", ".join(f"{number} {severity}" for severity, number in audit.counts)
    for severities, otherwise in ((settings["alert_on"], Verdict.ALERT), (settings["warn_on"], Verdict.WARNING)):
        count = sum(audit.of(severity) for severity in severities)
        packages = list(dict.fromkeys(name for severity, name in audit.packages if severity in severities))
        worst = f": {', '.join(packages[:6])}{', …' if len(packages) > 6 else ''}" if packages else ""
        observed = f"{counted} by {audit.tool} audit{worst}"
        expect.that(not count, observed=observed, expected=f"none {' or '.join(severities)}", otherwise=otherwise)


@runbook("certificate-expiry")
def test_certificate_expiry(certificates, expect):
    """The certificates are valid now, with those that vouch for them, and long enough to be renewed without haste."""
    for address, certificate in by_address(certificates, expect):
        valid = f"{certificate.not_before:%Y-%m-%d %H:%M} to {certificate.not_after:%Y-%m-%d %H:%M} UTC"
        expect.that(not certificate.not_yet_valid, observed=f"{address}valid {valid}".strip(), expected="valid now")
        first = certificate.ends_first
        whose = "" if first is certificate.chain[0] else f"of {first.subject}, which vouches for it, "
        until = f"{whose}until {first.not_after:%Y-%m-%d %H:%M} UTC"
        expect(certificate.days_left, address.rstrip(": "), detail=until)


@runbook("certificate-trust")
def test_certificate_trust(certificates, expect):
    """The chain verifies, the name matches, and the protocol is TLS 1.2 or newer."""
    verified = "a chain that verifies"
    for address, certificate in by_address(certificates, expect):
        seen = "it verifies"
        if not certificate.trusted:
            seen = f"{certificate.verify_message} (code {certificate.verify_code})"
        expect.that(certificate.trusted, observed=f"{address}{seen}", expected=verified)
        names = ", ".join(certificate.names[:6]) or "no names"
        observed = f"{address}a certificate for {names}"
        expect.that(certificate.name_matches, observed=observed, expected="the name connected to")
        expect.that(
            certificate.protocol in ("TLSv1.2", "TLSv1.3"),
            observed=f"{address}{certificate.protocol}",
            expected="TLSv1.2 or TLSv1.3",
        )


def by_address(endpoint, expect):
    """Each certificate after the address that shows it, "192.0.2.1: "; "" where there is one address only.

    Judges the addresses that show none.
    """
    judge_addresses(endpoint.failures, endpoint.left_out, "a certificate", expect)
    several = len(endpoint.certificates) + len(endpoint.failures) > 1
    return [(f"{one.address}: " if several else "", one) for one in endpoint.certificates]


@runbook("security-headers")
def test_security_headers(page_headers, plain_http, settings, expect):
    """The public page tells browsers to stay on https, not to guess types and not to be framed; http leads to https."""
    headers = page_headers
    if headers.rate_limited:
        expect.that(False, observed=f"{headers.status}, rate-limited", expected="a page", otherwise=Verdict.WARNING)
        return
    if headers.status >= 400:
        raise ProbeError(f"the headers of the page could not be determined: it answered {headers.status}")
    stays, enough = max_age(headers.strict_transport_security), settings["hsts_seconds"]
    hsts = f"Strict-Transport-Security {headers.strict_transport_security or 'missing'}"
    expect.that(
        headers.over_tls and stays is not None and stays >= enough,
        observed=hsts if headers.over_tls else "no TLS",
        expected=f"max-age of {enough} s or more, over TLS",
    )
    expect.that(
        (headers.content_type_options or "").strip().lower() == "nosniff",
        observed=f"X-Content-Type-Options {headers.content_type_options or 'missing'}",
        expected="nosniff",
    )
    options, policies = headers.frame_options, frame_ancestors(headers.content_security_policy)
    policy_text = "; ".join(" ".join(("frame-ancestors", *sources)) for sources in policies)
    # Browsers ignore X-Frame-Options where a policy names who may frame the page.
    guarded = (options or "").strip().upper() in settings["frame_options"]
    expect.that(
        not framed_by_anyone(policies) if policies else guarded,
        observed=policy_text or f"X-Frame-Options {options or 'missing'}",
        expected=f"X-Frame-Options {' or '.join(settings['frame_options'])}, or frame-ancestors that are named",
    )
    led = f"{plain_http.status} to {plain_http.location or 'nowhere'}"
    if plain_http.refused or plain_http.dropped:
        led = "nothing listens" if plain_http.refused else "no connection, so no plain http"
    closed = plain_http.refused or plain_http.dropped
    safe = closed or plain_http.to_https
    expect.that(
        safe and (closed or plain_http.permanent),
        observed=f"{plain_http.http_url}: {led}",
        expected="a permanent redirect to https of the same name, or nothing",
        otherwise=Verdict.WARNING if safe else Verdict.ALERT,
    )


@runbook("exposed-ports")
def test_exposed_ports(listening_sockets, host_addresses, target, environment, settings, expect):
    """PostgreSQL, the API and the front end listen where only this host or its private network can reach them."""
    here = [service for service in environment.services.values() if service.host == target.name]
    inner = {s.port for s in here if s.role in ("backend", "frontend", "database") and s.port}
    ports = {*settings["ports"], *inner} - {s.port for s in here if s.role == "proxy"}
    hidden = "a loopback or private address"
    sockets = [socket for socket in listening_sockets if socket.port in ports]
    for socket in sockets:
        public = public_addresses(socket.address, host_addresses)
        reached = f", reached at {', '.join(public)}" if public else ""
        expect.that(
            not public and not everywhere(socket.address),
            observed=f"port {socket.port} on {socket.address}{reached}",
            expected=hidden,
            otherwise=Verdict.ALERT if public else Verdict.WARNING,
        )
    places = [f"port {socket.port} on {socket.address}" for socket in sockets]
    places += [f"port {port} closed" for port in sorted(ports - {socket.port for socket in sockets})]
    expect.that(True, observed=", ".join(places) or "none of these services here", expected=hidden)


@runbook("security-patches")
def test_security_patches(pending_updates, settings, expect):
    """No security update of the operating system is pending, nor a reboot for one."""
    updates, none = pending_updates, "no security update pending, no reboot pending"
    names = ", ".join(str(update) for update in updates.security[:6])
    more = f", and {len(updates.security) - 6} more" if len(updates.security) > 6 else ""
    observed = f"{len(updates.security)} security updates pending ({updates.manager}, {updates.others} others)"
    expect.that(
        not updates.security, observed=f"{observed}: {names}{more}" if updates.security else observed, expected=none
    )
    expect.that(
        not updates.reboot,
        observed=f"a reboot pending for {'; '.join(updates.reboot)}"
        if updates.reboot
        else f"{observed}, no reboot pending",
        expected=none,
    )
    if expect.worst.verdict is Verdict.ALERT:
        return
    # Finding nothing proves nothing where nobody looked.
    if updates.listed_at is None:
        raise ProbeError("security updates could not be determined: no package list of a security archive")
    days = age(updates.observed_at, updates.listed_at, "the time of the package lists") / timedelta(days=1)
    if days > settings["lists_max_age_days"]:
        allowed = settings["lists_max_age_days"]
        raise ProbeError(
            f"security updates could not be determined: {updates.manager}'s package lists are {days:.0f} days old "
            f"(at most {allowed}); let `apt-get update`, `dnf makecache` or `apk update` run daily"
        )


@runbook("automatic-updates")
def test_automatic_updates(automatic_updates, settings, expect):
    """Updates that install themselves are started, and the last ones ended well."""
    updates, most = automatic_updates, settings["max_age_days"]
    if not updates.on:
        raise NotApplicable(f"this host does not update itself ({updates.manager})")
    timers = ", ".join(updates.timers) or "nothing"
    expect.that(
        updates.started,
        observed=f"{timers} to start them, {'active' if updates.started else 'none active'}",
        expected="a timer that starts them",
    )
    if updates.last_result and updates.last_result != "success":
        expect.that(False, observed=f"the last run: {updates.last_result}", expected="success")
        return
    last = updates.last_success
    days = None if last is None else age(updates.observed_at, last, "the last update") / timedelta(days=1)
    expect.that(
        days is not None and days <= most,
        observed="none that ended well" if days is None else f"the last one that ended well {days:.1f} days ago",
        expected=f"one in the last {most:g} days",
    )


@runbook("access-rights")
def test_secret_files(secret_files, target, settings, expect):
    """Nobody may read a service's secrets but those who need to."""
    most = settings["secret_mode"]
    expected = f"mode {most.lstrip('0')} or stricter"
    for file in secret_files.files:
        observed = f"{file.path}, mode {file.mode} {file.owner}:{file.group}" if file.exists else f"no {file.path}"
        if expect.that(file.exists, observed=observed, expected="the file that the environment names"):
            expect.that(not file.exceeds(most), observed=observed, expected=expected)
            listed = f"{observed}, with an access control list" if file.has_acl else observed
            expect.that(not file.has_acl, observed=listed, expected=expected, otherwise=Verdict.WARNING)
    in_unit = secret_files.in_unit
    if target.unit and in_unit is not None:
        summary = f"{few(in_unit, 8) or 'no secret'} in the unit's Environment=, which everybody may read"
        expect.that(not in_unit, observed=summary, expected="secrets in a file that only the service may read")
    if in_unit is None:
        summary = f"whether {target.unit} sets secrets could not be determined: systemd shows no such unit"
        expect.unknown(ProbeError(summary))


@runbook("access-rights")
def test_accounts(accounts, settings, expect):
    """Only expected accounts can log in to the host or use sudo."""
    may_log_in, may_sudo = settings["login_accounts"], settings["sudo_accounts"]
    able = [account.name for account in accounts.accounts if account.can_log_in]
    strangers = [name for name in able if name not in may_log_in]
    observed = f"{few(strangers or able, 8) or 'nobody'} can log in"
    expect.that(not strangers, observed=observed, expected=f"only {', '.join(may_log_in) or 'nobody'}")
    empty = [account.name for account in accounts.accounts if account.needs_no_password]
    expect.that(not empty, observed=f"no password is needed for {few(empty, 8) or 'nobody'}", expected="nobody")
    sudoers = [f"{name} ({through})" for name, through in accounts.sudoers if name not in may_sudo]
    accounts_with_sudo = sorted({name for name, _ in accounts.sudoers})
    observed = f"{few(sudoers or accounts_with_sudo, 8) or 'nobody'} can become root"
    expect.that(not sudoers, observed=observed, expected=f"only {', '.join(may_sudo) or 'nobody'}")
    if expect.worst.verdict is Verdict.ALERT:
        return
    unsure = [a.name for a in accounts.accounts if a.can_log_in is None and a.name not in may_log_in]
    hidden = [accounts.sudo_hidden] if accounts.sudo_hidden else []
    if unsure:
        hidden.append(
            f"whether {few(unsure, 8)} can log in: this account may not see their password's state or keys "
            "(the group shadow and root may)"
        )
    if hidden:
        raise MissingPrivilege("; ".join(hidden))


@runbook("access-rights")
def test_database_rights(database_roles, access_rules, settings, expect):
    """Only expected roles are above the database's rules, and pg_hba.conf trusts nobody from the network."""
    rights = {"superuser": "superusers", "create_role": "createrole_roles", "bypass_rls": "bypassrls_roles"}
    for right, setting in rights.items():
        holders, allowed = database_roles.holders(right), settings[setting]
        summary = {name: f"{name} through {via}" if via else name for name, via in holders.items()}
        strangers = [text for name, text in summary.items() if name not in allowed]
        observed = f"{right.replace('_', ' ')}: {', '.join(strangers or summary.values()) or 'nobody'}"
        expect.that(not strangers, observed=observed, expected=f"only {', '.join(allowed) or 'nobody'}")
    if access_rules.hidden and expect.worst.verdict is Verdict.ALERT:
        return
    broken = [rule.line for rule in access_rules.rules if rule.error]
    trusting = [rule for rule in access_rules.rules if rule.method == "trust" and rule.from_network]
    summary = "; ".join(str(rule) for rule in trusting)
    nobody = f"nobody trusted from the network by {len(access_rules.rules)} rules"
    expect.that(
        not trusting, observed=f"pg_hba.conf {summary}" if trusting else nobody, expected="a method with a proof"
    )
    if broken:
        summary = f"pg_hba.conf does not load (line {broken[0]}): which older rules are in force is not known"
        expect.unknown(ProbeError(summary))


@runbook("password-policy")
def test_database_passwords(database_roles, password_settings, settings, expect):
    """The server stores passwords as it should, and no role keeps a weak hash or an empty password."""
    wanted = settings["password_encryption"]
    encryption = password_settings.value("password_encryption")
    expect.that(encryption == wanted, observed=f"password_encryption {encryption}", expected=wanted)
    if database_roles.passwords_hidden and expect.worst.verdict is Verdict.ALERT:
        return
    kinds = database_roles.password_kinds()
    weak = [f"{name} ({kind})" for name, kind in kinds.items() if kind not in (wanted, "none")]
    set_ = [name for name, kind in kinds.items() if kind == wanted]
    observed = f"weak passwords of {few(weak, 8)}" if weak else f"{wanted}: {', '.join(set_) or 'no password at all'}"
    expect.that(not weak, observed=observed, expected=f"{wanted}, or no password")


@runbook("password-policy")
def test_password_policy(password_policy, settings, expect):
    """The operating system demands passwords that are long enough and changed in time."""
    age, length = password_policy.max_age_days, password_policy.min_length
    oldest, shortest = settings["max_age_days"], settings["min_length"]
    expect.that(
        age is not None and 0 < age <= oldest,
        observed="no PASS_MAX_DAYS" if age is None else f"PASS_MAX_DAYS {age}",
        expected=f"at most {oldest} days",
    )
    expect.that(
        length is not None and length >= shortest,
        observed=f"a minimum length of {length or 'none'} ({password_policy.enforced_by})",
        expected=f"at least {shortest} characters",
    )


@runbook("role-expiry")
def test_role_expiry(role_expiry, expect):
    """The passwords of the roles that the system logs in with are good for a while."""
    for role in role_expiry.roles:
        if not role.can_log_in:
            observed = f"{role.name} may not log in" if role.exists else f"no role {role.name}"
            expect.that(False, observed=observed, expected="a role that can log in")
        elif role.days_left is not None:
            expect(role.days_left, role.name)
    endless = ", ".join(role.name for role in role_expiry.roles if role.can_log_in and role.days_left is None)
    if endless:
        expect.that(True, observed=f"no end for {endless}", expected=str(expect.item.band))


@runbook("unauthorized-access")
def test_failed_logins(ssh_logins, settings, expect):
    """No client keeps failing to log in over SSH, and none that did got in."""
    window, limits = ssh_logins.window, settings["ssh_failures"]
    if not readable(window, expect):
        return
    observed = f"{ssh_logins.failures:,} failed and {ssh_logins.accepted:,} successful logins in {window.in_words}"
    expect.that(True, observed=observed, expected="few failed logins")
    for client in ssh_logins.clients:
        within(limits, client.failures, f"failed logins from {client}", expect)
        suspicious = client.failures >= limits["below"] and client.accepted_as
        expect.that(not suspicious, observed=f"failed logins from {client}", expected="no way in after that many")


@runbook("unauthorized-access")
def test_denied_requests(access_log, settings, expect):
    """No client is refused with 401 or 403 over and over."""
    if not readable(access_log.window, expect):
        return
    refused = sum(count for status, count in access_log.statuses if status in (401, 403))
    observed = f"{refused:,} of {access_log.requests:,} requests refused in {access_log.window.in_words}"
    expect.that(True, observed=observed, expected="few refusals")
    for client in access_log.denied:
        within(settings["denied_requests"], client.count, f"refused requests of {client}", expect)


@runbook("abnormal-api-calls")
def test_abnormal_api_calls(api_calls, settings, expect):
    """No client floods the API, and no path that scanners ask for was answered with 2xx."""
    calls, limits = api_calls, settings["requests_per_minute"]
    if not readable(calls.window, expect):
        return
    summary = f"{calls.calls:,} calls, {calls.tried:,} scanned paths in {calls.window.in_words}"
    answered = "; ".join(f"{find.path} to {find.client}" for find in calls.finds)
    expect.that(
        not calls.finds,
        observed=f"{summary}; answered: {answered}" if answered else summary,
        expected="no scanned path answered",
    )
    for peak in calls.peaks:
        observed = f"{peak.client} in the minute of {peak.minute:%Y-%m-%d %H:%M} UTC"
        within(limits, peak.client.count, observed, expect, "calls/min")


@runbook("system-log-errors")
def test_system_log_errors(system_journal, settings, expect):
    """The system journal holds few entries of priority error and worse."""
    if not readable(system_journal.window, expect):
        return
    errors = system_journal.errors.without(settings["ignore"])
    least = "" if system_journal.complete else "the newest ones only, there are more; "
    expect(errors.count, detail=f"{least}{errors.newest(settings['shown'])}" if errors.count else "")
    if not system_journal.complete:
        expect.unknown(ProbeError("the errors could not be determined: the journal holds more than are read"))


@runbook("audit-log")
def test_audit_settings(audit_settings, settings, expect):
    """The database server logs connections, their ends, and changes of roles."""
    value = {name: audit_settings.value(name) or "" for name in ("log_connections", "log_disconnections")}
    for name, level in (("log_connections", Verdict.ALERT), ("log_disconnections", Verdict.WARNING)):
        on = value[name].lower() not in ("", "off")
        expect.that(on, observed=f"{name} is {value[name] or 'empty'}", expected=f"{name} on", otherwise=level)
    statements = audit_settings.value("log_statement")
    expect.that(
        statements in settings["log_statement"],
        observed=f"log_statement is {statements}",
        expected=" or ".join(settings["log_statement"]),
    )


@runbook("audit-log")
def test_audit_trail(audit_trail, settings, expect):
    """The audit trail is written, and kept for the set time."""
    log, most, least = audit_trail, settings["max_silence_hours"], settings["retention_days"]
    there = f"{log.source}, {log.files} files" if log.exists else f"no {log.source}"
    if not expect.that(log.exists, observed=there, expected="an audit trail"):
        return
    written = log.silent_hours is not None and log.silent_hours <= most
    summary = "it is empty" if log.silent_hours is None else f"last entry {log.silent_hours:.1f} h ago"
    expect.that(written, observed=summary, expected=f"an entry in the last {most:g} h")
    # A young system cannot have an old trail: that is worth knowing, and no fault.
    kept = log.kept_days or 0.0
    observed = f"{there}, the oldest entry {kept:.0f} days old"
    expect.that(kept >= least, observed=observed, expected=f"{least:g} days or more", otherwise=Verdict.WARNING)
