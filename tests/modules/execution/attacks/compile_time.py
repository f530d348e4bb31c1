"""Sources that attack while they are compiled, or through what a compiler leaves."""

# ruff: noqa: E501 (programs in other languages are as wide as they are)

from .kit import COMPILE_ERROR, OK, Attack, one_of

_ANY_LIMIT = one_of("compile_error", "memory", "cpu_time", "wall_time", "output")
_HELLO = '#include <stdio.h>\nint main(void) { puts("ran"); }\n'
_SECRET = r"root:|SECRET|BEGIN [A-Z ]*PRIVATE KEY"

_READING = tuple(
    Attack(f"including {what}", language, code, verdicts, never=_SECRET, slow=what == "chance")
    for what, language, code, verdicts in (
        ("the passwords", "c", '#include "/etc/shadow"\nint main() {}', COMPILE_ERROR),
        ("the passwords as data", "c", '__asm__(".incbin \\"/etc/shadow\\""); int main() {}', COMPILE_ERROR),
        ("the passwords from a folder above", "cpp", '#include "../../../../etc/shadow"\nint main() {}', COMPILE_ERROR),
        ("the environment of process 1", "c", '#include "/proc/1/environ"\nint main() {}', COMPILE_ERROR),
        (
            "the environment of whoever started it",
            "c",
            '__asm__(".incbin \\"/proc/2/environ\\""); int main() {}',
            COMPILE_ERROR,
        ),
        (
            "the memory of whoever started it",
            "c",
            '__asm__(".incbin \\"/proc/2/mem\\",0,100"); int main() {}',
            COMPILE_ERROR,
        ),
        (
            "the descriptors of whoever started it",
            "c",
            "\n".join(f'#if __has_include("/proc/2/fd/{n}")\n#error SECRET\n#endif' for n in range(20))
            + "\nint main() { return 0; }",
            OK,
        ),
        ("a folder", "c", '#include "/etc"\nint main() {}', COMPILE_ERROR),
        ("chance", "c", '#include "/dev/random"\nint main() {}', _ANY_LIMIT),
        ("zeros", "c", '#include "/dev/zero"\nint main() {}', _ANY_LIMIT),
        ("zeros as data", "c", '__asm__(".incbin \\"/dev/zero\\""); int main() {}', _ANY_LIMIT),
        ("its input", "c", '#include "/dev/stdin"\nint main() {}', OK),
        ("itself", "c", '#include "main.c"\nint main() {}', COMPILE_ERROR),
    )
)

_BOMBS = (
    Attack("a hundred thousand errors", "c", "x y z;\n" * 100_000, one_of("compile_error", "output")),
    Attack(
        "a macro of eight to the power of eleven",
        "c",
        "\n".join(f"#define A{n} {' '.join([f'A{n - 1}'] * 8)}" for n in range(1, 12))
        + "\n#define A0 x\nint a[] = { A11 };",
        _ANY_LIMIT,
        slow=True,
    ),
    Attack(
        "a template that doubles",
        "cpp",
        "template<int N> struct A { static const int v = A<N+1>::v + A<N+2>::v; };\nint main() { return A<0>::v; }",
        _ANY_LIMIT,
    ),
    Attack(
        "a constant that takes for ever",
        "cpp",
        "constexpr long f(long n) { return n < 2 ? n : f(n - 1) + f(n - 2); }\nstatic_assert(f(60) > 0);\nint main() {}",
        _ANY_LIMIT,
        slow=True,
    ),
    Attack(
        "a program of half a gibibyte",
        "c",
        "char a[1 << 29] = { 1 };\nint main() { return a[5]; }",
        one_of("compile_error", "disk", "memory"),
    ),
    Attack(
        "a program larger than what is kept",
        "c",
        '__asm__(".data\\n.fill 63000000, 1, 7\\n");\nint main() { return 0; }',
        one_of("ok", "error", "compile_error", "disk"),
    ),
    Attack(
        "brackets without end",
        "java",
        "class Main { int x = " + "(" * 30_000 + "1" + ")" * 30_000 + "; public static void main(String[] a) {} }",
        one_of("compile_error", "error"),
    ),
    Attack(
        "a class file for each number",
        "java",
        "class Main { "
        + " ".join(f"class A{n} {{}}" for n in range(5000))
        + " public static void main(String[] a) {} }",
        one_of("compile_error", "disk", "cpu_time", "wall_time"),
        slow=True,
    ),
)

_NAMES = tuple(
    Attack(f"a file that is called {name}", "c", _HELLO, OK, prints="ran\n", files={name: content})
    for name, content in (
        ("-fplugin=x.so", ""),
        ("@options", "-o main.c"),
        ("-Wl,--version.c", "int other;"),
        ("--help.c", "int another;"),
        ("$(id >&2).c", "int more;"),
        ("specs", "*cc1:\n-o /dev/stdout\n"),
        ("as", "#!/bin/sh\necho hijacked\n"),
        ("collect2", "#!/bin/sh\necho hijacked\n"),
        ("stdio.h", "#error hijacked"),
    )
)

_TOOLS = (
    Attack(
        "a wrapper for the compiler in a comment",
        "c",
        "// -wrapper /bin/sh,-c,id\n" + _HELLO,
        OK,
        prints="ran\n",
        never="uid=",
    ),
    Attack(
        "a plug-in by pragma",
        "c",
        '#pragma GCC plugin "x.so"\n_Pragma("GCC optimize (\\"-fplugin=x.so\\")")\n' + _HELLO,
        one_of("ok", "compile_error"),
    ),
    Attack(
        "a script for the linker",
        "c",
        "int main() {}",
        COMPILE_ERROR,
        files={"evil.c": "INPUT(/etc/shadow)"},
        never=_SECRET,
    ),
    Attack(
        "commands of the assembler",
        "c",
        '__asm__(".file \\"/etc/passwd\\"\\n.print \\"SECRET\\"\\n"); int main() {}',
        one_of("ok", "compile_error"),
        never="root:",
    ),
    Attack(
        "an annotation processor",
        "java",
        'class Main { public static void main(String[] a) { System.out.println("ran"); } }',
        OK,
        prints="ran\n",
        files={
            "META-INF/services/javax.annotation.processing.Processor": "Evil\n",
            "Evil.java": 'public class Evil extends javax.annotation.processing.AbstractProcessor { static { System.out.println("hijacked"); } public boolean process(java.util.Set<? extends javax.lang.model.element.TypeElement> a, javax.annotation.processing.RoundEnvironment e) { return false; } }',
        },
    ),
    Attack(
        "options for the compiler in a file",
        "java",
        'class Main { public static void main(String[] a) { System.out.println("ran"); } }',
        OK,
        prints="ran\n",
        files={"JDK_JAVAC_OPTIONS": "-version", "javac.properties": "x"},
    ),
    Attack(
        "a library in place of the C library",
        "c",
        '#include <stdio.h>\nint puts(const char *s) { return 0; }\nint main(void) { fputs("ran\\n", stdout); }',
        OK,
        prints="ran\n",
    ),
    Attack(
        "a program that runs before main",
        "c",
        '#include <stdio.h>\n#include <unistd.h>\n__attribute__((constructor)) void f(void) { printf("%d\\n", getpid() > 1); }\nint main(void) {}',
        OK,
        prints="1\n",
    ),
    Attack(
        "a compiler that is still there when the program runs",
        "c",
        '#include <stdlib.h>\nint main(void) { return system("ls /proc | grep -c ^[0-9]"); }',
        OK,
        never=r"^(\d\d|[7-9])$",
    ),
)

ATTACKS = (*_READING, *_BOMBS, *_NAMES, *_TOOLS)
