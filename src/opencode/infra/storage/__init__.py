"""Files, kept under the hash of what they hold: in a folder, the default; the port is open for other places."""

from opencode.infra.storage.base import Kept, Storage, StorageFull, Stored, TooManyBytes, WrongContent
from opencode.infra.storage.folder import FolderStorage

__all__ = ["FolderStorage", "Kept", "Storage", "StorageFull", "Stored", "TooManyBytes", "WrongContent"]
