/* fuzz_TARGET CORPUS_DIR ITERATIONS SEED: every file of the folder, then that many mutations of them. The
 * same arguments give the same inputs. An input that aborts is printed, escaped, on standard error. */
#include <dirent.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>
#include "fuzz.h"

enum { MAX_FILES = 1000, MAX_BYTES = 1 << 16, MAX_MUTATIONS = 8 };

static struct {
    uint8_t *data;
    size_t n;
} files[MAX_FILES];
static size_t files_n;

static uint8_t input[MAX_BYTES]; /* what runs now, for the signal handler */
static size_t input_n;

static uint64_t rng;

static size_t below(size_t n) {
    rng = rng * 6364136223846793005u + 1442695040888963407u;
    return (size_t)((rng >> 33) % n);
}

static void on_abort(int signal_number) {
    char out[4];
    static const char hex[] = "0123456789abcdef";
    static const char head[] = "input (escaped): ";
    ssize_t written = write(STDERR_FILENO, head, sizeof head - 1);
    for (size_t i = 0; i < input_n && written > 0; i++) {
        bool plain = input[i] >= ' ' && input[i] < 127 && input[i] != '\\';
        memcpy(out, (char[]){'\\', 'x', hex[input[i] >> 4], hex[input[i] & 15]}, 4);
        if (plain) out[0] = (char)input[i];
        written = write(STDERR_FILENO, out, plain ? 1 : 4);
    }
    written = write(STDERR_FILENO, "\n", 1);
    signal(signal_number, SIG_DFL);
    raise(signal_number);
}

static int by_name(const struct dirent **a, const struct dirent **b) {
    return strcmp((*a)->d_name, (*b)->d_name);
}

static void load(const char *dir) {
    struct dirent **names;
    int n = scandir(dir, &names, NULL, by_name); /* sorted: the inputs do not depend on the file system */
    for (int i = 0; i < n; i++) {
        char path[4096];
        snprintf(path, sizeof path, "%s/%s", dir, names[i]->d_name);
        FILE *f = names[i]->d_name[0] == '.' ? NULL : fopen(path, "rb");
        if (f && files_n < MAX_FILES) {
            files[files_n].data = malloc(MAX_BYTES);
            CHECK(files[files_n].data);
            files[files_n].n = fread(files[files_n].data, 1, MAX_BYTES, f);
            files_n++;
        }
        if (f) fclose(f);
        free(names[i]);
    }
    if (n >= 0) free(names);
}

/* Replaces input[at, at + cut) by n bytes, as far as there is room. */
static void splice(size_t at, size_t cut, const void *bytes, size_t n) {
    if (input_n - cut + n > MAX_BYTES) return;
    memmove(input + at + n, input + at + cut, input_n - at - cut);
    memcpy(input + at, bytes, n);
    input_n += n - cut;
}

static void mutate(void) {
    static const char *const tokens[] = {
        "{",
        "}",
        "[",
        "]",
        "\"",
        ":",
        ",",
        "\\",
        "\\u0000",
        "\\ud800",
        "\r",
        "\n",
        "\r\n",
        " ",
        "null",
        "true",
        "false",
        "-1",
        "0",
        "1e999",
        "1e39",
        "0.5",
        "NaN",
        "99999999999999999999",
        "\"x\":{}",
        "\"y\":[]",
        "\"id\":1",
        "\"op\":\"test\"",
        "\"text\":\"\u00df\u0301\"",
        "\"w\":",
        "\"items\":[{\"x\":[1]}]",
        "\xff",
        "\xe2\x82",
        "\u0130",
        "\U0001F600",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    };
    size_t at = below(input_n + 1), left = input_n - at;
    size_t piece = left ? below(left < 32 ? left : 32) + 1 : 0;
    uint8_t copy[32];
    switch (below(6)) {
    case 0:
        if (left) input[at] ^= (uint8_t)(1u << below(8));
        break;
    case 1:
        if (left) input[at] = (uint8_t)below(256);
        break;
    case 2:
        splice(at, piece, "", 0);
        break;
    case 3:
        memcpy(copy, input + at, piece);
        splice(below(input_n + 1), 0, copy, piece);
        break;
    case 4: {
        const char *token = tokens[below(sizeof tokens / sizeof *tokens)];
        splice(at, below(2) ? piece : 0, token, strlen(token));
        break;
    }
    default: {
        size_t other = below(files_n);
        size_t from = below(files[other].n + 1);
        splice(at, left, files[other].data + from, files[other].n - from);
    }
    }
}

static void run(void) {
    /* A block of its own, so that a sanitizer sees reads behind the end. */
    uint8_t *exact = malloc(input_n + !input_n);
    CHECK(exact);
    memcpy(exact, input, input_n);
    LLVMFuzzerTestOneInput(exact, input_n);
    free(exact);
}

static void take(size_t file) {
    input_n = files[file].n;
    memcpy(input, files[file].data, input_n);
}

int main(int argc, char **argv) {
    if (argc != 4) {
        fprintf(stderr, "usage: %s CORPUS_DIR ITERATIONS SEED\n", argv[0]);
        return 2;
    }
    load(argv[1]);
    if (files_n == 0) {
        fprintf(stderr, "%s: no files\n", argv[1]);
        return 1;
    }
    signal(SIGABRT, on_abort);
    signal(SIGSEGV, on_abort);
    for (size_t i = 0; i < files_n; i++) {
        take(i);
        run();
    }
    unsigned long iterations = strtoul(argv[2], NULL, 10);
    rng = strtoull(argv[3], NULL, 10);
    for (unsigned long i = 0; i < iterations; i++) {
        take(below(files_n));
        for (size_t k = below(MAX_MUTATIONS) + 1; k > 0; k--) mutate();
        run();
    }
    printf("%zu files, %lu mutations\n", files_n, iterations);
    for (size_t i = 0; i < files_n; i++) free(files[i].data);
    return 0;
}
