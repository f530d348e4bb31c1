"""`ocp export`: an interview as the API exports it, without a server."""

import msgspec

from opencode.app.migrate import migrate
from opencode.app.settings import Settings
from opencode.app.wiring import wire


async def export_interview(settings: Settings, interview: str) -> bytes:
    """
    The export of one interview as JSON, as the operator of the server may see it.

    Args:
        interview: an id (`int_…`), or the six digits that it had; of several that had them, the newest.

    Raises:
        NotFound: there is no such interview.
    """
    house = wire(settings)
    # Nothing else is started, and so nothing else can be stopped.
    documents = next((plug for plug in house.plugs if plug.name == "collaboration"), None)
    try:
        await migrate(house.parts.database)
        if documents and documents.start:
            await documents.start()
        exported = await house.export(interview)
        return msgspec.json.format(msgspec.json.encode(exported), indent=2)
    finally:
        if documents and documents.stop:
            await documents.stop()
        await house.parts.database.close()
