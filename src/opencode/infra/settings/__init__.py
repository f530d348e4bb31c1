"""Settings: one flat name each, from a default, a file, the environment or a flag; bad ones stop the start."""

from opencode.infra.settings.loader import Origin, SettingsError, SettingValue, Sources, load_section, variable_of
from opencode.infra.settings.setting import setting

__all__ = ["Origin", "SettingValue", "SettingsError", "Sources", "load_section", "setting", "variable_of"]
