#!/usr/bin/python3
"""The arrows of the architecture: an #include may only point down, and each layer may use only the system headers and libraries that fit it.

The compiler cannot tell: system headers and libraries are visible to every folder. Longest matching prefix decides."""
import re
import source

PURE = {"assert.h", "errno.h", "float.h", "inttypes.h", "limits.h", "math.h", "stdarg.h", "stdbool.h", "stddef.h", "stdint.h", "stdlib.h", "string.h"}

# folder -> folders whose headers it may include
BELOW = {
    "core/base/": ["core/base/"],
    "core/": ["core/"],
    "proto/": ["core/base/", "proto/"],
    "daemon/": ["core/", "proto/", "daemon/"],
    "clients/": ["core/base/", "proto/", "clients/"],
    "tests/": [""],
}
# folder or file prefix -> system headers and libraries it may include; None = any but LIBRARIES
PROTO = PURE | {"stdio.h", "jansson.h", "utf8proc.h"}
SYSTEM = {
    "core/base/": PURE | {"stdio.h", "xxhash.h"},  # stdio.h: snprintf only, see CALLS
    "core/": PURE,
    "proto/": PROTO,
    "proto/arena.c": PROTO | {"sanitizer/asan_interface.h"},  # tells the sanitizer what is free inside a block
    "proto/request_json.c": PROTO | {"setjmp.h", "threads.h"},  # the way out of jansson when memory is refused
    "daemon/": None,
    "clients/": None,
    "tests/": None,
}
# library header -> prefixes that may include it, beside tests; nothing else may
LIBRARIES = {
    "uv.h": ["daemon/"],
    "openssl/err.h": ["daemon/tls", "clients/c/tls"],
    "openssl/ssl.h": ["daemon/tls", "clients/c/tls"],
    "openssl/x509v3.h": ["clients/c/tls"],
    "jansson.h": ["proto/", "daemon/config", "clients/"],
    "utf8proc.h": ["proto/"],
    "xxhash.h": ["core/base/"],
    "zlib.h": ["clients/"],
    "zstd.h": ["clients/", "daemon/"],
    "histedit.h": ["clients/cli/"],
    "cmocka.h": [],
}
# what the layers without I/O must not call, although a header that they need declares it
CALLS = re.compile(r"(?<![\w.>])(printf|fprintf|vfprintf|puts|fputs|fopen|fread|fwrite|perror|getenv|setenv|system|exit|abort|rand|srand|random|time|clock)\s*\(")
# jansson's allocation hooks belong to the process, hence what they serve to the thread
STATEFUL = {"proto/request_json.c"}
# a variable with static storage that is not constant: hidden state that two models would share
GLOBAL = re.compile(r"^\s*static\s+(?!inline\b)(?!.*\bconst\b)[^()\n]*[;={]\s*$|^(?!typedef\b|extern\b|(?:struct|enum|union) \w+;)(?!.*\bconst\b)\w[\w \t*]*[ *]\w+(\[[^]\n]*\])*\s*(=[^=].*|;)$", re.M)
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.M)
COMMENT = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"', re.S)


def longest(table, name):
    return table[max((prefix for prefix in table if name.startswith(prefix)), key=len)]


def check(root):
    for path, file in source.files(root, ".c", ".h"):
        name, text = str(path), file.read_text()
        if not any(name.startswith(prefix) for prefix in BELOW):
            yield f"{name}: in no layer"
            continue
        for bracket, header in INCLUDE.findall(text):
            if bracket == '"':
                if name.startswith("tests/") and "/" not in header and (file.parent / header).is_file():
                    continue  # a test's fixture, beside it
                if not any(header.startswith(prefix) for prefix in longest(BELOW, name)):
                    yield f"{name}: {header} is not below this layer"
                elif not (root / header).is_file():
                    yield f"{name}: {header} does not exist (paths are from the root)"
                continue
            allowed = longest(SYSTEM, name)
            if allowed is not None and header not in allowed:
                yield f"{name}: <{header}> does not belong into this layer"
            if header in LIBRARIES and not name.startswith(("tests/", *LIBRARIES[header])):
                yield f"{name}: <{header}> belongs into {' '.join(['tests/', *LIBRARIES[header]])}"
        if name.startswith(("core/", "proto/")):
            code = COMMENT.sub('""', text)
            for call in CALLS.findall(code):
                yield f"{name}: calls {call}(): this layer has no I/O, clock, environment or hidden randomness"
            for found in GLOBAL.finditer(code) if name not in STATEFUL else ():
                yield f"{name}: global state: {found.group().strip()}"


if __name__ == "__main__":
    source.main(check)
