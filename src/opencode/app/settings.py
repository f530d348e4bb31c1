"""The settings of the process itself, and all settings of all modules together."""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from opencode.app.modules import MODULES
from opencode.infra.settings import SettingsError, SettingValue, Sources, load_section, setting, variable_of
from opencode.modules.ai.settings import VALUE_PREFIX, AiSettings
from opencode.modules.collaboration.settings import CollaborationSettings
from opencode.modules.execution.settings import ExecutionSettings, PistonSettings
from opencode.modules.identity.settings import IdentitySettings
from opencode.modules.interviews.settings import InterviewsSettings
from opencode.modules.marketplace.settings import MarketplaceSettings
from opencode.modules.notifications.settings import NotificationsSettings

_HINT = "`ocp settings` lists every setting"


@dataclass(frozen=True, slots=True)
class ProcessSettings:
    """Where the server listens, keeps its data and writes its logs."""

    host: str = setting("127.0.0.1", "address to listen on; 0.0.0.0 for all")
    port: int = setting(8000, "TCP port to listen on; 0 picks a free one", minimum=0, maximum=65535)
    data: Path = setting(Path("data"), "folder for the database, keys and files")
    modules: tuple[str, ...] = setting(
        (), "which modules this process runs, separated by commas; empty for all", choices=MODULES
    )
    database_url: str = setting(
        "",
        "PostgreSQL in place of the embedded SQLite file: postgresql+asyncpg://user:password@host/name",
        prefixes=("postgresql+asyncpg://",),
        secret=True,
    )
    redis_url: str = setting(
        "",
        "Redis, when several processes share the work: redis://host:6379/0",
        prefixes=("redis://", "rediss://", "unix://"),
        secret=True,
    )
    public_url: str = setting(
        "",
        "address that people use, such as https://code.example.org, for the links we print and secure cookies",
        prefixes=("https://", "http://"),
    )
    indexable: bool = setting(True, "whether search engines may list the public pages; robots.txt and the pages say so")
    cache_bytes: int = setting(
        67_108_864, "bytes of public pages and answers that a process keeps", minimum=0, maximum=2**40
    )
    log_level: str = setting("info", "how much to log", choices=("debug", "info", "warning", "error"))
    log_format: str = setting(
        "auto", "json, text, or auto: text at a terminal, json elsewhere", choices=("auto", "json", "text")
    )
    proxy_addresses: str = setting(
        "127.0.0.1", "proxies whose X-Forwarded-For is believed, separated by commas; * for any"
    )
    body_s: int = setting(
        30,
        "seconds that the body of a request may take to arrive, and one more for each 32 KiB of it",
        minimum=1,
        maximum=3600,
    )
    drain_s: int = setting(8, "seconds that open requests get on SIGTERM", minimum=0, maximum=600)

    @property
    def is_private(self) -> bool:
        """Only programs on this machine can reach the server."""
        return self.host in {"127.0.0.1", "::1", "localhost"} and not self.public_url


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings in force. `values` remembers where each one came from."""

    process: ProcessSettings
    identity: IdentitySettings
    collaboration: CollaborationSettings
    execution: ExecutionSettings
    piston: PistonSettings
    interviews: InterviewsSettings
    marketplace: MarketplaceSettings
    notifications: NotificationsSettings
    ai: AiSettings
    values: tuple[SettingValue, ...]


SECTIONS = (
    ProcessSettings,
    IdentitySettings,
    CollaborationSettings,
    ExecutionSettings,
    PistonSettings,
    InterviewsSettings,
    MarketplaceSettings,
    NotificationsSettings,
    AiSettings,
)


def load_settings(flags: Mapping[str, Any] | None = None, environment: Mapping[str, str] | None = None) -> Settings:
    """
    Read all settings.

    Raises:
        SettingsError: with a sentence for every wrong or unknown setting.
    """
    environment = os.environ if environment is None else environment
    file_path = Path(environment["OCP_CONFIG"]) if environment.get("OCP_CONFIG") else None
    sources = Sources(flags or {}, environment, _read_file(file_path), file_path)
    loaded: list[Any] = []
    values: list[SettingValue] = []
    problems: list[str] = []
    for section in SECTIONS:
        try:
            section_settings, section_values = load_section(section, sources)
            loaded.append(section_settings)
            values.extend(section_values)
        except SettingsError as error:
            problems.extend(error.problems)
    known = {item.name for section in SECTIONS for item in fields(section)}
    problems += [f"{name} in {file_path} is not a setting; {_HINT}" for name in sources.file if name not in known]
    if problems:
        raise SettingsError(problems)
    settings = Settings(*loaded, values=tuple(values))
    if settings.marketplace.marketplace_index == "postgres" and not settings.process.database_url:
        raise SettingsError(
            [
                "marketplace_index is 'postgres': that needs the data in PostgreSQL. "
                "Set OCP_DATABASE_URL, or leave it at 'embedded'"
            ]
        )
    return settings


def _read_file(path: Path | None) -> Mapping[str, Any]:
    if path is None:
        return {}
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError([f"OCP_CONFIG is {path}: it cannot be read ({error.strerror})"]) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError([f"OCP_CONFIG is {path}: it is not TOML ({error})"]) from None


def unknown_variables(settings: Settings, environment: Mapping[str, str] | None = None) -> list[str]:
    """
    `OCP_*` variables that set nothing, most likely misspelt. They do not stop the start: one environment may serve
    several versions of the product.
    """
    known = {variable_of(value.name) for value in settings.values} | {"OCP_CONFIG"}
    present = os.environ if environment is None else environment
    ours = (name for name in present if name.startswith("OCP_") and not name.startswith(VALUE_PREFIX))
    return sorted(name for name in ours if name not in known)
