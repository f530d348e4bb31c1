"""The configuration as administrators see it: what is in force, where each value comes from, what was refused."""

from dataclasses import dataclass

from opencode.kernel.pages import Page, PageRequest
from opencode.kernel.principal import Principal
from opencode.modules.ai.policy import require_manager
from opencode.modules.ai.service.configuring import Explained, explain, show
from opencode.modules.ai.service.live import Live, Refused, Snapshot


@dataclass(frozen=True, slots=True)
class ConfigurationShown:
    """
    Attributes:
        effective: plain values, secrets masked.
        layers: those in force, the lowest first, as pairs of layer and source.
        other_files: files of the same name that are somebody else's.
    """

    snapshot: Snapshot
    effective: object
    layers: tuple[tuple[str, str], ...]
    other_files: tuple[str, ...]
    refused: Refused | None


class Inspecting:
    def __init__(self, live: Live) -> None:
        self._live = live

    def configuration(self, by: Principal) -> ConfigurationShown:
        """
        Raises:
            Unauthenticated, Forbidden
        """
        require_manager(by)
        snapshot = self._live.current
        loaded = snapshot.loaded
        if loaded is None:
            return ConfigurationShown(snapshot, {}, (), (), self._live.refused)
        others = {each.source.name for each in loaded.passed_over}
        layers = tuple((str(each.layer), each.source.name) for each in loaded.layers if each.source.name not in others)
        return ConfigurationShown(snapshot, show(loaded), layers, tuple(sorted(others)), self._live.refused)

    def values(self, by: Principal, key: str, page: PageRequest) -> Page[Explained]:
        """
        Each value under a key with its layer and place, by path.

        Raises:
            Unauthenticated, Forbidden
        """
        require_manager(by)
        loaded = self._live.current.loaded
        position = page.position(str)
        found = {each.path: each for each in explain(loaded, key)} if loaded else {}
        paths = sorted(path for path in found if position is None or path > position[0])
        return Page.cut([found[path] for path in paths[: page.limit + 1]], page.limit, lambda each: (each.path,))
