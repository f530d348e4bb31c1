"""What the server tells a zygote and its cells: the shapes of the messages, in the order of their travel."""

from typing import TypedDict


class Plan(TypedDict):
    """
    What all cells of a zygote are like; the first message.

    `users`: first id outside and how many, or None for those of an ordinary user. `binds`: places outside and inside.
    `files`: content by full path. `python`: the interpreter that programs run in, or nothing. `warm`: a command that
    each cell starts ahead of time, or nothing. `filter`: classic BPF. `disk_bytes`, `inodes`: of each writable folder.
    """

    users: "tuple[int, int] | None"
    binds: "list[tuple[str, str]]"
    files: "dict[str, bytes]"
    python: str
    warm: "list[str]"
    environment: "dict[str, str]"
    filter: bytes
    hostname: str
    disk_bytes: int
    inodes: int


class Task(TypedDict):
    """
    What a cell is to run.

    `files`: names below the working folder, and how many bytes of `content` each has. `limits`: as setrlimit(2) takes
    them. `in_python`: the process that hears this runs `argv[1]` itself. `collect`: full paths to be kept after a
    compiler. `line`: what a program that is up already reads.

    Descriptors come along in this order: the `terminal`; the content, when it is not in the message; what a compiler
    `made`; the file for what is to be collected.
    """

    files: "list[tuple[str, int]]"
    content: "bytes | None"
    terminal: bool
    made: bool
    limits: "list[tuple[int, int]]"
    argv: "list[str]"
    environment: "dict[str, str]"
    in_python: bool
    collect: "list[str]"
    line: bytes
