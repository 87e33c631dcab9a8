"""Configuration and toolchain: the backend that runs is configured for this environment and no other."""

from datetime import datetime
from urllib.parse import urlsplit

from opsverify import runbook
from opsverify.config.bands import Verdict
from opsverify.errors import NotApplicable, ProbeError

LOOPBACK = {"", "localhost", "127.0.0.1", "::1"}


@runbook("required-variables")
def test_required_variables(variables, settings, expect):
    """The running backend has every variable that it needs."""
    missing = [name for name in settings["names"] if not variables.known(name)]
    expect.that(
        not missing,
        observed=f"{', '.join(missing) or 'none'} missing in {variables.source}",
        expected=f"{', '.join(settings['names'])} set",
    )


@runbook("node-env")
def test_node_env(variables, environment, expect):
    """NODE_ENV of the running backend is what this environment should have."""
    value = variables.value("NODE_ENV")
    observed = f"NODE_ENV={value}" if value is not None else f"no NODE_ENV in {variables.source}"
    expect.that(value == environment.node_env, observed=observed, expected=f"NODE_ENV={environment.node_env}")


@runbook("node-env")
def test_api_node_env(api_health, environment, expect):
    """The API says of itself that it runs as this environment should: all that is known where there is no host."""
    if not api_health.is_api_json:
        raise ProbeError("what the API runs as could not be determined: what answers is not the API")
    if api_health.environment is None:
        raise NotApplicable("the API's health answer does not name its environment")
    observed, expected = f'health says "{api_health.environment}"', f'"{environment.node_env}"'
    expect.that(api_health.environment == environment.node_env, observed=observed, expected=expected)


@runbook("jwt-secret-strength")
def test_jwt_secret_strength(variables, settings, expect):
    """JWT_SECRET is long, random, and in no documentation. Its value has not left the probe."""
    secret = variables.secret("JWT_SECRET")
    minimum, distinct = settings["minimum_bits"], settings["minimum_distinct_characters"]
    strong = f"at least {minimum} bits, at least {distinct} different characters, no placeholder, no repetition"
    if not expect.that(secret is not None, observed="no JWT_SECRET" if secret is None else "set", expected=strong):
        return
    placeholder = secret.is_placeholder or secret.sha256 in {sha256(text) for text in settings["placeholders"]}
    observed = f"{secret.length_bits} bits, {secret.distinct_characters} different characters"
    expect.that(secret.length_bits >= minimum, observed=observed, expected=strong)
    expect.that(secret.distinct_characters >= distinct, observed=observed, expected=strong)
    expect.that(not placeholder, observed="a documented placeholder" if placeholder else observed, expected=strong)
    expect.that(
        not secret.repeats, observed="a repetition or sequence" if secret.repeats else observed, expected=strong
    )


@runbook("published-secrets")
def test_published_secrets(published_secrets, expect):
    """No secret in force can be read in the checkout: neither set to an example, nor fallen back to a default."""
    compared = published_secrets
    expected = "no secret that the checkout publishes"
    for secret in compared.found:
        where = f"{secret.file} publishes it as {secret.published_as}"
        why = f"{secret.variable} is not set, and {secret.file} publishes its default" if secret.fallback else ""
        expect.that(False, observed=why or f"{secret.variable} in force, {where}", expected=expected)
    observed = (
        f"{', '.join(compared.secrets) or 'no secrets'} in {compared.source}, none of {compared.published} published"
    )
    expect.that(
        not compared.found, observed=f"{observed} in {', '.join(compared.files) or 'no file'}", expected=expected
    )


@runbook("database-url")
def test_database_url(variables, target, environment, settings, expect):
    """The backend's DATABASE_URL names this environment's own server and database."""
    host = environment.hosts[target.host]
    here = {name for name in (urlsplit(host.connection).hostname, host.address) if name}
    variables.known("DATABASE_URL")
    own = [database.location for database in environment.databases.values()]
    names = ", ".join(f"{host or 'local socket'}:{port}/{name}" for host, port, name in own)
    expected = f"a PostgreSQL URL to this environment's {names}"
    url = variables.database
    if not expect.that(url is not None, observed="no DATABASE_URL" if url is None else "set", expected=expected):
        return
    if not expect.that(
        url.problem is None and url.scheme in ("postgresql", "postgres"),
        observed=url.problem or f"a {url.scheme} URL",
        expected=expected,
    ):
        return
    port = url.port or 5432
    observed = f"{url.host}:{port}/{url.database}"
    also = {name if ":" in name else f"{name}:{port}" for name in settings["also_named"]}
    matches = any(
        url.database == name
        and (f"{url.host}:{port}" in also or (same_server(url.host, server, here) and port == own_port))
        for server, own_port, name in own
    )
    expect.that(matches, observed=observed, expected=expected)


def same_server(seen_by_backend, seen_by_us, here):
    """Whether two names are one server, as far as names can tell: the backend's loopback is its own host, `here`."""
    theirs, ours = (seen_by_backend or "").lower(), seen_by_us.lower()
    return theirs == ours or (theirs in LOOPBACK and (ours in LOOPBACK or ours in here))


def sha256(text):
    """SHA-256 in hexadecimal: placeholders are compared without the secret's value."""
    from hashlib import sha256 as digest

    return digest(text.encode()).hexdigest()


@runbook("cors-origins")
def test_cors_origins(variables, environment, expect):
    """Every allowed origin is one explicit address, and https in production."""
    value = variables.value("CORS_ORIGIN")
    wanted = "https" if environment.node_env == "production" else "http or https"
    expected = f"explicit {wanted} addresses, scheme://host[:port]"
    if not expect.that(value is not None, observed=f"no CORS_ORIGIN in {variables.source}", expected=expected):
        return
    for origin in value.split(","):
        problem = origin_problem(origin.strip(), wanted.split(" or "))
        observed = f"{origin.strip()}: {problem}" if problem else value
        expect.that(not problem, observed=observed, expected=expected)


def origin_problem(origin, schemes):
    """What keeps a text from being one origin of those schemes, as browsers send it; "" where nothing does."""
    if "*" in origin:
        return "lets in addresses that nobody named"
    try:
        parts = urlsplit(origin)
        origin_of = f"{parts.scheme}://{parts.netloc}"
        parts.port  # noqa: B018 - raises for a port that is none
    except ValueError:
        return "is no address"
    if parts.scheme not in schemes or not parts.hostname:
        return f"is not {' or '.join(schemes)}"
    # Browsers compare to the letter: a slash at the end, a path or a capital letter matches no origin at all.
    return "" if origin == origin_of.lower() and "@" not in origin else "never matches what a browser sends"


@runbook("cors-behaviour")
def test_cors_behaviour(cors, expect):
    """The live API grants the allowed origins and no other, and never everybody with credentials."""
    if cors.rate_limited:
        raise ProbeError("which origins are granted could not be determined: rate-limited")
    for answer in cors.origins:
        wanted = f"{answer.origin} {'granted' if answer.expected else 'not granted'}"
        for what, grant in (("OPTIONS", answer.preflight), ("GET", answer.simple)):
            granted = f"{what} {grant.status} for {answer.origin} with "
            granted += f"Access-Control-Allow-Origin: {grant.allow_origin}" if grant.allow_origin else "no grant"
            right = grant.allow_origin == answer.origin if answer.expected else not grant.lets_in(answer.origin)
            expect.that(right, observed=granted, expected=wanted)
        # A refusal is no failure: browsers need no more than an answer without a grant.
        grants = (("OPTIONS", answer.preflight), ("GET", answer.simple))
        failing = [f"{what} {grant.status}" for what, grant in grants if grant.status >= 500]
        observed = f"{' and '.join(failing) or 'an answer'} for {answer.origin}"
        expect.that(not failing, observed=observed, expected="no error (5xx)", otherwise=Verdict.WARNING)
        careless = "credentials for *" if answer.wildcard_with_credentials else "no credentials for *"
        expect.that(not answer.wildcard_with_credentials, observed=careless, expected="no credentials for *")
    granted = [answer.origin for answer in cors.origins if answer.granted]
    others = [answer.origin for answer in cors.origins if not answer.expected]
    expect.that(
        any(answer.expected for answer in cors.origins),
        observed=f"{', '.join(granted) or 'nobody'} granted, {', '.join(others)} asked for in vain",
        expected="the allowed origins and no other",
    )


@runbook("listening-port")
def test_listening_port(listening, expect):
    """The service's own process listens on its port, and nobody in its stead."""
    itself = f"the service itself on port {listening.port}"
    if not expect.that(
        listening.listening,
        observed=f"port {listening.port} {'open' if listening.listening else 'closed'}",
        expected=itself,
    ):
        return
    owner = f"{listening.owner_name} (process {listening.owner_pid})"
    if listening.is_service_process is None:
        expect.that(
            False,
            observed=f"port {listening.port} open; whose it is may not be seen by this account",
            expected=itself,
            otherwise=Verdict.WARNING,
        )
    else:
        expect.that(listening.is_service_process, observed=f"port {listening.port} held by {owner}", expected=itself)


@runbook("node-version")
def test_node_version(installed_node, running_node, target, settings, expect):
    """Node.js is a version that the runbook allows, as installed and as the backend process runs it."""
    allowed = " or ".join(f"{major}.x" for major in settings["majors"])
    installed = () if target.container else (("installed", installed_node),)
    for what, version in (*installed, ("running", running_node)):
        observed = f"{what} {version.with_note}" if version.found else f"{what}: none found"
        expect.that(version.major in settings["majors"], observed=observed, expected=f"{what} {allowed}")


@runbook("postgres-server-version")
def test_postgres_server_version(database_server, settings, expect):
    """The server is as new as the runbook asks for."""
    minimum = settings["minimum_major"]
    expect.that(
        database_server.major >= minimum, observed=f"PostgreSQL {database_server.major}", expected=f"{minimum} or newer"
    )


@runbook("postgres-client-version")
def test_postgres_client_version(psql_program, dump_program, dumped_server, settings, expect):
    """psql and pg_dump are new enough, and pg_dump not older than the server: it refuses a newer one."""
    minimum = max(settings["minimum_major"], dumped_server.major)
    why = f"{minimum} or newer (the server is {dumped_server.major})"
    for name, version in (("psql", psql_program), ("pg_dump", dump_program)):
        observed = f"{name} {version.text}" if version.found else f"{name}: none found"
        expect.that(version.found and version.major >= minimum, observed=observed, expected=f"{name} {why}")


@runbook("supported-versions")
def test_supported_operating_system(operating_system, settings, now, expect):
    """The host's operating system gets updates from upstream for months to come."""
    system = operating_system
    named = system.pretty_name or f"{system.id} {system.version}".strip() or system.kernel
    judge_support(named, settings.get(system.id), (system.version, system.version.partition(".")[0]), now, expect)


@runbook("supported-versions")
def test_supported_node(running_node, settings, now, expect):
    """The Node.js that the backend runs on gets updates from upstream for months to come."""
    judge_support(f"Node.js {running_node.with_note}", settings["nodejs"], (str(running_node.major),), now, expect)


@runbook("supported-versions")
def test_supported_postgres(database_server, settings, now, expect):
    """The PostgreSQL server gets updates from upstream for months to come."""
    major = str(database_server.major)
    judge_support(f"PostgreSQL {major}", settings["postgresql"], (major,), now, expect)


def judge_support(named, ends, versions, now, expect):
    """Judge the days left until the end of support, at the end of that day in UTC."""
    listed = next((ends[version] for version in versions if version in ends), None) if isinstance(ends, dict) else None
    try:
        end = datetime.fromisoformat(f"{listed}T23:59:59+00:00")
    except ValueError:
        raise ProbeError(f"the end of support of {named} is not among the settings of supported-versions") from None
    expect((end - now).total_seconds() / 86400, detail=f"{named}, supported until {listed}")
