"""Settings of the server."""

from __future__ import annotations

from dataclasses import dataclass

from opsverify.errors import MissingPrivilege
from opsverify.probes.postgres.question import Server, Statement, Steps, shown


@dataclass(frozen=True)
class ServerSettings:
    """Answer: `SettingsFacts`. Any role; settings that only superusers see need pg_read_all_settings (pg_monitor)."""

    names: tuple[str, ...]

    def steps(self, server: Server) -> Steps:
        """One query; invisible settings are simply absent from pg_settings."""
        rows = (
            yield Statement(
                "SELECT name, setting, unit, source, pending_restart, false AS may FROM pg_settings"
                " WHERE name = ANY (string_to_array($1::text, ','))"
                " UNION ALL SELECT '', '', NULL, '', false, pg_has_role('pg_read_all_settings', 'USAGE')",
                (",".join(self.names),),
            )
        ).rows
        may = any(row["may"] for row in rows)
        visible = {row["name"]: row for row in rows if row["name"]}
        unknown = tuple(name for name in self.names if name not in visible)
        if unknown and not may:
            raise MissingPrivilege(
                f"role {server.role} cannot see {', '.join(unknown)}"
                f" (GRANT pg_read_all_settings TO {shown(server.role)}; pg_monitor includes it)"
            )
        return SettingsFacts(
            tuple(
                Setting(row["name"], row["setting"], row["unit"], row["source"], row["pending_restart"])
                for row in visible.values()
            ),
            unknown,
        )


@dataclass(frozen=True)
class Setting:
    """One row of pg_settings; `value` in `unit`s. `pending_restart`: the file says something else by now."""

    name: str
    value: str
    unit: str | None
    source: str
    pending_restart: bool


@dataclass(frozen=True)
class SettingsFacts:
    """The settings asked for. `unknown`: this server has none of that name."""

    settings: tuple[Setting, ...]
    unknown: tuple[str, ...]

    def value(self, name: str) -> str | None:
        """The value of a setting, None if unknown."""
        return next((setting.value for setting in self.settings if setting.name == name), None)
