"""
Surrogate keys: names for what a page or an answer was made of. When one of them changes, whatever carries it is
outdated, in our own caches and in those in front of the server.
"""

ALL_PROJECTS = "all-projects"
"""What shows lists of projects."""
ALL_PEOPLE = "all-people"
UNKNOWN_PROJECTS = "unknown-projects"
"""Answers that there is no such project. They do not name the one that was asked for: it may be a draft."""
UNKNOWN_PEOPLE = "unknown-people"


def project_key(project_id: str) -> str:
    return f"project/{project_id}"


def user_key(user_id: str) -> str:
    return f"user/{user_id}"
