"""Installing toolchains where nothing does it for us: the operator is told how."""

from opencode.contracts.execution import InstallFailed


class CommandLineOnly:
    """`contracts.execution.Installer` for a server that changes nothing on its machine while it serves."""

    async def install(self, language: str, version: str) -> str:
        raise _refused(f"Use `ocp runtimes install {language}` on its machine.")

    async def uninstall(self, language: str, version: str) -> str:
        raise _refused(f"On its machine, remove the packages that {language}.toml names under [install].")


def _refused(action: str) -> InstallFailed:
    return InstallFailed("This server does not change what is installed while it runs.", action=action)
