"""Where people look at what the marketplace has: paths of pages inside this server."""


def page_of_project(slug: str) -> str:
    return f"/projects/{slug}"


def page_of_person(handle: str) -> str:
    return f"/people/{handle}"
