"""Installing toolchains where nothing does it for us: the operator is told how."""

from opencode.contracts.execution import InstallFailed


class CommandLineOnly:
    """`contracts.execution.Installer` for a server that changes nothing on its machine while it serves."""

    async def install(self, language: str, version: str) -> str:
        raise _by_hand("install", language)

    async def uninstall(self, language: str, version: str) -> str:
        raise _by_hand("uninstall", language)


def _by_hand(verb: str, language: str) -> InstallFailed:
    return InstallFailed(
        "This server does not change what is installed while it runs.",
        action=f"Use `ocp runtimes {verb} {language}` on its machine.",
    )
