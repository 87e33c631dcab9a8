"""Configuration and toolchain: the backend that runs is configured for this environment and no other."""

from opsverify import runbook
from opsverify.bands import Verdict

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


@runbook("database-url")
def test_database_url(variables, environment, settings, expect):
    """The backend's DATABASE_URL names this environment's own server and database."""
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
        url.database == name and (f"{url.host}:{port}" in also or (same_host(url.host, host) and port == own_port))
        for host, own_port, name in own
    )
    expect.that(matches, observed=observed, expected=expected)


def same_host(one, other):
    """Whether two names are one server, as far as names can tell."""
    one, other = (one or "").lower(), (other or "").lower()
    return one == other or (one in LOOPBACK and other in LOOPBACK)


def sha256(text):
    """SHA-256 in hexadecimal: placeholders are compared without the secret's value."""
    from hashlib import sha256 as digest

    return digest(text.encode()).hexdigest()


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
def test_node_version(installed_node, running_node, settings, expect):
    """Node.js is a version that the runbook allows, as installed and as the backend process runs it."""
    allowed = " or ".join(f"{major}.x" for major in settings["majors"])
    for what, version in (("installed", installed_node), ("running", running_node)):
        observed = f"{what} {version.text}" if version.found else f"{what}: none found"
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
