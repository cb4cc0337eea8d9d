/* Single bits of a data folder's files flipped, one at a time, each followed by a recovery:
 *
 *   stress_flips DIR COUNT SEED
 *
 * DIR is the folder of a stopped or killed homerd with the default model{}, whose log is there from record 1
 * on. Whatever the bit is, the recovery has to give the state as it was after some record, or to refuse with
 * a message; a file that was not flipped gives all. Prints, separated by tabs: kind of file, outcome, count.
 * Exit 1 and the flip when neither holds. */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/rng.h"
#include "daemon/log.h"
#include "daemon/recovery.h"
#include "daemon/verbs.h"
#include "tests/lib/disk.h"

enum { FILES = 64 };
enum outcome { WHOLE, OLDER_SNAPSHOT, SHORTER, REFUSED, OUTCOMES };

static const char *const words[] = {"everything came back",
                                    "everything came back, from an older snapshot or the log alone",
                                    "a shorter prefix came back", "refused with a message"};
static const char dir[] = "data";

struct flips {
    struct homer_config config;
    struct disk *disk;
    char path[FILES][300];
    size_t file_n;
    char (*state)[33]; /* [last + 1] digests after each record; [0] is that of no record */
    uint64_t last;
    uint64_t room;
    struct homer_engine *engine;
};

static void die(const char *what, const char *why) {
    fprintf(stderr, "stress_flips: %s: %s\n", what, why);
    exit(1);
}

static uint64_t now(void) {
    return 1;
}

static struct homer_engine *engine_new(struct flips *f) {
    static const uint8_t key[16] = "flips";
    static const struct homer_clock clock = {now, now};
    struct homer_engine *e;
    if (homer_engine_new(&e, &f->config, key, &clock)) die("engine", "no memory");
    return e;
}

static void digest(const struct homer_engine *e, char hex[33]) {
    struct homer_codec c;
    struct homer_hasher *h = homer_hasher_new(&c);
    if (!h) die("digest", "no memory");
    homer_engine_encode(e, &c);
    homer_hasher_free(h, hex);
}

static void load(struct flips *f, const char *from) {
    DIR *d = opendir(from);
    if (!d) die(from, strerror(errno));
    for (struct dirent *entry; (entry = readdir(d));) {
        if (strncmp(entry->d_name, "wal-", 4) != 0 && strncmp(entry->d_name, "snapshot-", 9) != 0) continue;
        char path[600];
        snprintf(path, sizeof path, "%s/%.255s", from, entry->d_name);
        FILE *file = fopen(path, "rb");
        char *bytes = malloc(64 << 20);
        if (!file || !bytes || f->file_n == FILES) die(path, "cannot be loaded");
        size_t n = fread(bytes, 1, 64 << 20, file);
        fclose(file);
        snprintf(f->path[f->file_n], sizeof f->path[0], "%s/%.255s", dir, entry->d_name);
        disk_put(f->disk, f->path[f->file_n++], bytes, n);
        free(bytes);
    }
    closedir(d);
    if (!f->file_n) die(from, "no log and no snapshot");
}

/* The state after every record, from the log alone. */
static int each(void *ctx, uint64_t sequence, const char *payload, size_t n) {
    struct flips *f = ctx;
    struct homer_error err = {0};
    int rc = homer_engine_replay(f->engine, payload, n, &err);
    if (rc) die("the log", err.message);
    if (sequence >= f->room) {
        f->room = 2 * sequence;
        f->state = realloc(f->state, f->room * sizeof *f->state);
        if (!f->state) die("states", "no memory");
    }
    digest(f->engine, f->state[sequence]);
    f->last = sequence;
    return 0;
}

static void know(struct flips *f) {
    struct homer_wal_report report;
    struct homer_error err = {0};
    f->room = 1000;
    f->state = malloc(f->room * sizeof *f->state);
    if (!f->state) die("states", "no memory");
    f->engine = engine_new(f);
    digest(f->engine, f->state[0]);
    if (homer_wal_read(disk_files(f->disk), dir, 1, each, f, &report, &err)) die("the log", err.message);
    homer_engine_free(f->engine);
}

static enum outcome recover(struct flips *f, const char *what) {
    struct homer_error err = {0};
    struct homer_restore r = {.files = disk_files(f->disk), .dir = dir, .engine = engine_new(f)};
    int rc = homer_restore(&r, &err);
    char hex[33];
    if (!rc) digest(r.engine, hex);
    homer_engine_free(r.engine);
    if (rc) {
        if (err.code != rc || strlen(err.message) < 20) die(what, "refused without a word");
        return REFUSED;
    }
    if (r.last > f->last || strcmp(hex, f->state[r.last]) != 0) die(what, "gives a state that never was");
    if (r.last < f->last) return SHORTER;
    return r.damaged ? OLDER_SNAPSHOT : WHOLE;
}

int main(int argc, char **argv) {
    static struct flips f;
    unsigned count[2][OUTCOMES] = {{0}};
    struct homer_rng rng;
    if (argc != 4) {
        fprintf(stderr, "usage: %s DIR COUNT SEED\n", argv[0]);
        return 2;
    }
    homer_log_open("/dev/null", HOMER_LOG_ERROR); /* it has a line for each damaged snapshot */
    homer_rng_seed(&rng, strtoull(argv[3], NULL, 10));
    f.disk = disk_new(1);
    if (homer_config_init(&f.config)) die("configuration", "no memory");
    f.config.store.dir = strdup(dir);
    load(&f, argv[1]);
    know(&f);
    if (recover(&f, "nothing flipped") != WHOLE) die("nothing flipped", "not everything came back");
    for (unsigned long i = strtoul(argv[2], NULL, 10); i > 0; i--) {
        size_t n, file = homer_rng_next(&rng) % f.file_n;
        unsigned char *bytes = disk_content(f.disk, f.path[file], &n);
        size_t used = n;
        while (used > 1 && !bytes[used - 1]) used--;
        size_t at =
            homer_rng_next(&rng) % (homer_rng_next(&rng) % 8 ? used : n); /* behind it nothing was written */
        unsigned bit = homer_rng_next(&rng) % 8;
        char what[400];
        snprintf(what, sizeof what, "%s, byte %zu, bit %u", f.path[file], at, bit);
        bytes[at] ^= (unsigned char)(1u << bit);
        count[strstr(f.path[file], "/snapshot-") != NULL][recover(&f, what)]++;
        bytes[at] ^= (unsigned char)(1u << bit);
    }
    for (int kind = 0; kind < 2; kind++)
        for (int o = 0; o < OUTCOMES; o++)
            printf("%s\t%s\t%u\n", kind ? "snapshot" : "log", words[o], count[kind][o]);
    free(f.state);
    homer_config_deinit(&f.config);
    f.disk = disk_free(f.disk);
    homer_log_close();
    return 0;
}
