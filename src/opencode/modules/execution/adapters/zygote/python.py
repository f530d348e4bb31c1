"""Runs a Python program in an interpreter that is up already, so that it cannot tell the difference."""

import atexit
import gc
import os
import signal
import sys
import weakref

from opencode.modules.execution.adapters.zygote import kernel

# What interview programs import and bare Python does not load: here it is loaded once for all of them.
_COMMON = (
    "abc bisect collections collections.abc copy dataclasses datetime enum fractions functools heapq io itertools json "
    "math operator random re string threading time traceback types typing"
)
_OURS = "opencode"
_FLUSH_FAILED = 120  # what Python's status is when its last words could not be written

_REHEARSAL = """
import sys
class Shape:
    def __init__(self, size): self.size = size
    def area(self): return self.size ** 2
words = {f"{n}": Shape(n) for n in range(20)}
total = sum(shape.area() for shape in words.values())
try: raise ValueError(total)
except ValueError as error: text = f"{error}: {sorted(words)[:3]}"
sys.stdout.write(""); sys.stdout.flush()
"""


class Program(BaseException):
    """
    A program takes over this interpreter. Raised through all our frames, so that none is left below it.

    Args:
        argv: `python3`, the name of the main file, then its arguments.
        environment: all of it.
        names: of all files of the program.
    """

    def __init__(self, argv: "list[str]", environment: "dict[str, str]", names: "list[str]") -> None:
        super().__init__()
        self.argv = argv
        self.environment = environment
        self.names = names


class Interpreter:
    """
    What cells of a zygote inherit.

    Args:
        bare: names of the modules that Python loads by itself.
    """

    def __init__(self, bare: "frozenset[str]") -> None:
        for name in _COMMON.split():
            try:
                __import__(name)
            except ImportError:
                continue  # not every Python has every part of its library
        # A program must not find us, but we have to stay: freeing us would write to memory in every cell.
        self._ours = [sys.modules.pop(name) for name in list(sys.modules) if name.split(".")[0] == _OURS]
        self._extra = frozenset(name for name in sys.modules if name not in bare)
        self._shadows = frozenset(name.split(".")[0] for name in self._extra)
        self._loaded = frozenset(sys.modules)
        sys.path_importer_cache.clear()
        # What is there by now is garbage for no program, and looking at it would copy its memory into every cell.
        gc.collect()
        gc.freeze()

    def rehearse(self) -> None:
        """Touch, while nobody waits, the memory that running a program will touch."""
        code = compile(_REHEARSAL, "rehearsal", "exec", dont_inherit=True)
        exec(code, {"__name__": "rehearsal"})  # noqa: S102 (our own words)

    def become(self, program: Program) -> None:
        """
        Run a file of the working folder as `python3 <file>` does, tell what it raises as that would, and end the
        process.
        """
        path = f"{os.getcwd()}/{program.argv[1]}"
        _look_like_python(program)
        # A program's own `queue.py` goes before the library's, also in what imports it.
        if not self._shadows.isdisjoint(name.split("/")[0].split(".")[0] for name in program.names):
            for name in self._extra:
                sys.modules.pop(name, None)
        status = _run(path)
        _finish(self._loaded, status)


def _run(path: str) -> int:
    """The exit status; a negative one is a signal that the process must die of."""
    main = type(sys)("__main__")
    loader = sys.modules["_frozen_importlib_external"].SourceFileLoader("__main__", path)
    main.__dict__.update(
        __file__=path, __loader__=loader, __builtins__=sys.modules["builtins"], __cached__=None, __annotations__={}
    )
    sys.modules["__main__"] = main
    try:
        with open(path, "rb") as file:
            code = compile(file.read(), path, "exec", dont_inherit=True)
        exec(code, main.__dict__)  # noqa: S102 (the cell is for this)
    except SystemExit as leaving:
        return _status_of(leaving)
    except BaseException as error:
        _tell(error)
        return -signal.SIGINT if isinstance(error, KeyboardInterrupt) else 1
    return 0


def _status_of(leaving: SystemExit) -> int:
    if leaving.code is None:
        return 0
    if isinstance(leaving.code, int):
        return leaving.code & 0xFF
    print(leaving.code, file=sys.stderr)  # noqa: T201 (what Python does)
    return 1


def _finish(loaded: "frozenset[str]", status: int) -> None:
    """
    Do what Python does at its end, in its order (Py_FinalizeEx), as far as a program can see it. What is left out is
    taking the library apart: it writes to every page of memory that the zygote shares with us, and takes longer than
    most programs.
    """
    if "threading" in sys.modules:
        sys.modules["threading"]._shutdown()
    atexit._run_exitfuncs()  # pyright: ignore[reportPrivateUsage]
    flushed = _flush()
    sys.last_type = sys.last_value = sys.last_traceback = None
    _take_apart([name for name in sys.modules if name not in loaded] + ["__main__"])
    flushed = _flush() and flushed
    if status < 0:
        signal.signal(-status, signal.SIG_DFL)
        os.kill(os.getpid(), -status)
    os._exit(status if flushed or status else _FLUSH_FAILED)


def _take_apart(names: "list[str]") -> None:
    """Let go of the program's modules, so that the last words of its objects are said (finalize_modules in CPython)."""
    left = []
    for name in reversed(names):
        module = sys.modules.pop(name, None)
        if type(module) is type(sys):
            left.append(weakref.ref(module))
    module = None
    gc.collect()
    for reference in left:
        module = reference()
        if module is not None:
            _empty(module.__dict__)
    module = None


def _empty(names: "dict[str, object]") -> None:
    # _PyModule_ClearDict: names that begin with one underscore go first.
    for private in (True, False):
        for name in list(names):
            if (name[:1] == "_" and name[1:2] != "_") == private and name != "__builtins__":
                names[name] = None


def _flush() -> bool:
    good = True
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None and not stream.closed:
                stream.flush()
        except (OSError, ValueError):
            good = False
    return good


def _look_like_python(program: Program) -> None:
    kernel.set_name("python3")
    kernel.write_over_arguments(program.argv)
    sys.argv = program.argv[1:]
    sys.orig_argv = list(program.argv)
    sys.path[0] = os.path.dirname(f"{os.getcwd()}/{program.argv[1]}")
    if dict(os.environ) != program.environment:
        os.environ.clear()
        os.environ.update(program.environment)
    # As Python starts: an interrupt is an exception, a broken pipe and a file too large are errors of the call.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    if os.isatty(0):
        _open_streams_anew()


def _open_streams_anew() -> None:
    # They were made for pipes. On a terminal output leaves with each line.
    sys.stdin = open(0, encoding="utf-8", errors="surrogateescape", closefd=False)  # noqa: SIM115
    sys.stdout = open(1, "w", encoding="utf-8", errors="surrogateescape", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", encoding="utf-8", errors="backslashreplace", closefd=False)  # noqa: SIM115
    sys.__stdin__, sys.__stdout__, sys.__stderr__ = sys.stdin, sys.stdout, sys.stderr


def _tell(error: BaseException) -> None:
    trace = error.__traceback__
    # Not this file's frame. A program that could not be compiled has no other.
    trace = trace.tb_next if trace else None
    error = error.with_traceback(trace)
    sys.last_type, sys.last_value, sys.last_traceback = type(error), error, trace
    try:
        sys.excepthook(type(error), error, trace)
    except BaseException as worse:
        print("Error in sys.excepthook:", file=sys.stderr)  # noqa: T201 (what Python says)
        sys.__excepthook__(type(worse), worse, worse.__traceback__)
        print("\nOriginal exception was:", file=sys.stderr)  # noqa: T201
        sys.__excepthook__(type(error), error, trace)
