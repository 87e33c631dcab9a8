"""Why PostgreSQL said no, in sentences. Pure; nothing here quotes a connection string."""

from __future__ import annotations

import re
from urllib.parse import quote

from opsverify.errors import MissingPrivilege, ProbeError
from opsverify.probes.tcp.transport import printable


class StatementRefused(ProbeError):
    """A query failed; `sqlstate` as in the manual's appendix "PostgreSQL Error Codes"."""

    def __init__(self, sqlstate: str, message: str) -> None:
        self.sqlstate = sqlstate
        self.summary = printable(f"{message} (SQLSTATE {sqlstate})")
        super().__init__(self.summary)

    def as_probe_error(self, question: str, role: str) -> ProbeError:
        """The sentence for a question that has no better one of its own."""
        if self.sqlstate == "42501":
            return MissingPrivilege(f"{question}: role {role} lacks a privilege: {self.summary}")
        if self.sqlstate == "57014":
            return ProbeError(f"{question}: not answered in time; the query was cancelled")
        if self.sqlstate == "55P03":
            return ProbeError(f"{question}: another session holds a lock on what is to be read")
        return ProbeError(f"{question}: {self.summary}")


_FULL = "it has no free connection left for role {role}"
_STARTING = "the database system is starting up"
_OTHER = "what listens there does not speak PostgreSQL's protocol"

# Connection failures carry no SQLSTATE through libpq: only texts tell them apart. The server's are in its own
# language (lc_messages); English and Japanese are known here, as in its message catalogues, and any other is quoted
# as it came. libpq's own texts stay English: Python sets no locale for messages.
_KNOWN = (
    (r"password authentication failed|パスワード認証に失敗", "password refused for role {role}"),
    (
        r"requested a cleartext password",
        "it asks for the password in clear text without being known by its certificate: let the dsn say "
        "sslmode=verify-full, or require_auth=password where that is meant",
    ),
    (r"no password supplied|パスワードが指定されていません", "role {role} needs a password, and none is configured"),
    (
        r"no pg_hba\.conf entry|pg_hba\.conf ?(に|の)",
        "pg_hba.conf has no entry for role {role} and {database} from here",
    ),
    (r"database \".*\" does not exist|データベース.*は?存在しません", "there is no database {database}"),
    (r"role \".*\" does not exist|ロール.*は?存在しません", "there is no role {role}"),
    (r"is not permitted to log in|ログインが許可され", "role {role} may not log in"),
    (r"permission denied for database|データベース.*へのアクセスが拒否", "role {role} may not connect to {database}"),
    (r"too many clients|connection slots are reserved|too many connections", _FULL),
    (r"接続スロットは|(クライアント数|接続)が多すぎます", _FULL),
    (r"system is (starting up|not yet accepting)", _STARTING),
    (r"起動処理中|まだ接続を受け付けていません", _STARTING),
    (r"system is shutting down|シャットダウンしています", "the database system is shutting down"),
    (r"in recovery mode|リカバリモード", "the database system is in crash recovery"),
    (r"server does not support SSL", "the server offers no TLS, which the dsn requires"),
    (r"root certificate file .* does not exist", "TLS not verified: the CA file of the dsn is missing"),
    (r"does not match host name", "TLS not verified: the certificate is for another host name"),
    (r"certificate has expired", "TLS not verified: certificate has expired"),
    (r"certificate verify failed", "TLS not verified: certificate verify failed"),
    (r"definition of service .* not found", "the service that the dsn names is not defined"),
    (r"Connection refused", "connection refused"),
    (r"No such file or directory", "no server listens on that socket"),
    (r"No route to host|Network is unreachable", "no route to it"),
    (r"timed out|timeout expired", "the connection timed out"),
    (r"could not translate host name", "its name could not be resolved"),
    (r"received invalid response|expected authentication request|unsupported frontend protocol", _OTHER),
    (r"server closed the connection unexpectedly|Connection reset", "the connection was closed without an answer"),
)


def why_not_connected(text: str, role: str, database: str, needs_password: bool, secrets: list[str]) -> str:
    """What a failed connection means. Unknown texts are quoted, without anything secret."""
    for pattern, sentence in _KNOWN:
        if re.search(pattern, text, re.DOTALL):
            return sentence.format(role=printable(role, 63), database=printable(database, 63))
    if needs_password:
        return f"role {printable(role, 63)} needs a password, and none is configured"
    for secret in secrets:
        for form in {secret, quote(secret), quote(secret, safe="")}:
            text = text.replace(form, "…")
    reason = re.sub(r"^connection to server .*? failed: ", "", text.strip(), flags=re.DOTALL)
    return printable(reason) or "the connection failed"
