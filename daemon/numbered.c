#include "daemon/numbered.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void homer_numbered_name(char out[HOMER_NUMBERED_NAME], const char *prefix, uint64_t sequence) {
    snprintf(out, HOMER_NUMBERED_NAME, "%.15s%016" PRIx64, prefix, sequence);
}

int homer_numbered_path(char out[HOMER_PATH_MAX], const char *dir, const char *prefix, uint64_t sequence) {
    char name[HOMER_NUMBERED_NAME];
    homer_numbered_name(name, prefix, sequence);
    return homer_path(out, dir, name);
}

static void take(void *arg, const char *name) {
    struct homer_numbered *l = arg;
    char canonical[HOMER_NUMBERED_NAME];
    size_t prefix_n = strlen(l->prefix);
    if (strncmp(name, l->prefix, prefix_n) != 0) return;
    uint64_t sequence = strtoull(name + prefix_n, NULL, 16);
    homer_numbered_name(canonical, l->prefix, sequence);
    if (strcmp(name, canonical) != 0) return; /* somebody else's, or set aside by a repair */
    if (l->n == l->cap) {
        size_t cap = l->cap ? l->cap * 2 : 16;
        uint64_t *grown = homer_mem_grow(l->mem, l->at, l->cap, cap, sizeof *grown);
        if (!grown) {
            l->failed = true;
            return;
        }
        l->at = grown;
        l->cap = cap;
    }
    l->at[l->n++] = sequence;
}

static int ascending(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

int homer_numbered_list(struct homer_numbered *l, struct homer_mem *mem, const struct homer_files *files,
                        const char *dir, const char *prefix) {
    *l = (struct homer_numbered){.mem = mem, .prefix = prefix};
    int rc = files->list(files->ctx, dir, take, l);
    if (rc < 0) return rc;
    if (l->failed) return -ENOMEM;
    if (l->n) qsort(l->at, l->n, sizeof *l->at, ascending);
    return 0;
}

void homer_numbered_deinit(struct homer_numbered *l) {
    homer_mem_free(l->mem, l->at, l->cap, sizeof *l->at);
    *l = (struct homer_numbered){.mem = l->mem, .prefix = l->prefix};
}
