"""What an operator may tune about AI beside its configuration file."""

from dataclasses import dataclass

from opencode.infra.settings import setting

VALUE_PREFIX = "OCP_AI__"
"""Variables that begin so are no settings: each is a value of the configuration itself."""


@dataclass(frozen=True, slots=True)
class AiSettings:
    """Where the configuration is, and how closely providers are looked after."""

    ai_config: str = setting("", "an AI configuration file, opencode.json, on top of the others")
    ai_key_file: str = setting(
        "",
        "file with the keys that stored credentials are sealed with; all servers of a deployment need the same one",
        default_words="sealing.keys in the data folder",
    )
    ai_test_every_s: int = setting(
        60, "seconds between two tests of the connection to a provider", minimum=5, maximum=86_400
    )
    ai_tests_per_minute: int = setting(
        30, "tests of connections that one administrator may ask for per minute", minimum=1
    )
    ai_stored_providers: int = setting(
        100, "providers that administrators may add while the server runs", minimum=0, maximum=1_000
    )
    ai_stored_limits: int = setting(
        1_000,
        "persons and teams that administrators may set limits for while the server runs",
        minimum=0,
        maximum=10_000,
    )
    ai_body_bytes: int = setting(
        32 * 1024 * 1024, "the largest request to a model, in bytes; pictures come inside of it", minimum=1_024
    )
    ai_ledger_days: int = setting(
        400, "days that the line of each call stays in the usage ledger; sums by the day stay", minimum=1
    )
    ai_telemetry_url: str = setting(
        "", "an OpenTelemetry collector that each call is told to, over OTLP by HTTP, such as http://127.0.0.1:4318"
    )
