"""Programs of known cost, to hold the meters against."""

# ruff: noqa: E501 (programs in other languages are as wide as they are)

from dataclasses import dataclass

from .attacks.kit import OK, Attack

_HEAD = r"""
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <pthread.h>
#include <fcntl.h>
#include <unistd.h>
#include <time.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
static double used(int clock) { struct timespec t; clock_gettime(clock, &t); return t.tv_sec * 1e3 + t.tv_nsec / 1e6; }
static void burn(int clock, double ms) { double end = used(clock) + ms; while (used(clock) < end) for (volatile int n = 0; n < 20000; n++); }
static void *thread(void *ms) { burn(CLOCK_THREAD_CPUTIME_ID, *(double *)ms); return 0; }
static double began; // what this process used before it became this program
static char *touch(char *p, size_t size) { memset(p, 1, size); __asm__ volatile("" :: "r"(p) : "memory"); return p; }
static void tell(void) {
    struct rusage own, children;
    getrusage(RUSAGE_SELF, &own); getrusage(RUSAGE_CHILDREN, &children);
    printf("%.1f\n", used(CLOCK_PROCESS_CPUTIME_ID) - began + children.ru_utime.tv_sec * 1e3 + children.ru_utime.tv_usec / 1e3 + children.ru_stime.tv_sec * 1e3 + children.ru_stime.tv_usec / 1e3);
}
"""
MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Meter:
    """
    A C program that prints the processor time it used, in milliseconds.

    Attributes:
        memory_mib: what it touches; 0 when that is not what is measured.
    """

    program: Attack
    memory_mib: int = 0


def _meter(name: str, body: str, memory_mib: int = 0) -> Meter:
    code = f"{_HEAD}int main(void) {{ began = used(CLOCK_PROCESS_CPUTIME_ID); {body} tell(); }}"
    return Meter(Attack(name, "c", code, OK, memory_mib=512, wall_time_ms=10_000, cpu_time_ms=9000), memory_mib)


_STAY = "usleep(150000);"  # as long as a look at the processes takes to come round, where there are no groups

METERS = {
    meter.program.name: meter
    for meter in (
        _meter("nothing at all", ""),
        *(_meter(f"{ms} ms of one process", f"burn(CLOCK_PROCESS_CPUTIME_ID, {ms});") for ms in (20, 100, 300, 1000)),
        _meter(
            "300 ms of three processes",
            "for (int n = 0; n < 3; n++) if (!fork()) { burn(CLOCK_PROCESS_CPUTIME_ID, 100); _exit(0); } while (wait(0) > 0);",
        ),
        _meter(
            "300 ms of three threads",
            "pthread_t t[3]; double ms = 100; for (int n = 0; n < 3; n++) pthread_create(t + n, 0, thread, &ms); for (int n = 0; n < 3; n++) pthread_join(t[n], 0);",
        ),
        _meter(
            "300 ms of a child and its child",
            "if (!fork()) { if (!fork()) { burn(CLOCK_PROCESS_CPUTIME_ID, 150); _exit(0); } burn(CLOCK_PROCESS_CPUTIME_ID, 150); wait(0); _exit(0); } wait(0);",
        ),
        _meter(
            "time in the kernel",
            'char *b = malloc(1 << 20); while (used(CLOCK_PROCESS_CPUTIME_ID) < began + 200) { int d = open("/dev/zero", O_RDONLY); read(d, b, 1 << 20); close(d); }',
        ),
        *(
            _meter(f"{mib} MiB of malloc", f"touch(malloc({mib * MIB}), {mib * MIB}); {_STAY}", mib)
            for mib in (50, 200, 400)
        ),
        _meter("100 MiB of pages", f"touch(mmap(0, {100 * MIB}, 3, 34, -1, 0), {100 * MIB}); {_STAY}", 100),
        _meter("100 MiB in shared pages", f"touch(mmap(0, {100 * MIB}, 3, 33, -1, 0), {100 * MIB}); {_STAY}", 100),
        _meter(
            "60 MiB in a file",
            f'int d = open("/tmp/x", O_CREAT | O_RDWR, 0600); char *b = calloc(1, 1 << 20); for (int n = 0; n < 60; n++) write(d, b, 1 << 20); {_STAY}',
            60,
        ),
        _meter(
            "120 MiB of three children together",
            f"for (int n = 0; n < 3; n++) if (!fork()) {{ touch(malloc({40 * MIB}), {40 * MIB}); {_STAY} _exit(0); }} while (wait(0) > 0);",
            120,
        ),
        _meter(
            "100 MiB that were given back",
            f"char *p = touch(mmap(0, {100 * MIB}, 3, 34, -1, 0), {100 * MIB}); {_STAY} munmap(p, {100 * MIB}); usleep(10000);",
            100,
        ),
    )
}
