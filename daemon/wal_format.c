#include "daemon/wal_format.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include "core/base/sum.h"
#include "daemon/le.h"

static const char magic[8] = {'H', 'O', 'M', 'E', 'R', 'W', 'A', 'L'};

void homer_wal_name(char out[HOMER_WAL_NAME], uint64_t first) {
    snprintf(out, HOMER_WAL_NAME, "wal-%016llx", (unsigned long long)first);
}

void homer_wal_put_head(char out[HOMER_WAL_HEADER], const struct homer_wal_segment_head *head) {
    memcpy(out, magic, sizeof magic);
    homer_le_put32(out + 8, HOMER_WAL_VERSION);
    homer_le_put32(out + 12, 0);
    homer_le_put64(out + 16, head->first);
    homer_le_put64(out + 24, head->salt);
    homer_le_put64(out + 32, head->synced);
    homer_le_put64(out + 40, homer_sum64(0, out, 40));
}

bool homer_wal_get_head(const char *bytes, size_t n, struct homer_wal_segment_head *head) {
    if (n < HOMER_WAL_HEADER || memcmp(bytes, magic, sizeof magic) != 0) return false;
    if (homer_le_get64(bytes + 40) != homer_sum64(0, bytes, 40)) return false;
    if (homer_le_get32(bytes + 8) != HOMER_WAL_VERSION || homer_le_get32(bytes + 12) != 0) return false;
    *head = (struct homer_wal_segment_head){.first = homer_le_get64(bytes + 16),
                                            .salt = homer_le_get64(bytes + 24),
                                            .synced = homer_le_get64(bytes + 32)};
    return true;
}

/* What stands before the length of every record of a segment; never 0, which is what unwritten space holds.
 */
static uint32_t mark_of(uint64_t salt) {
    return (uint32_t)homer_sum64(salt, magic, sizeof magic) | 1;
}

void homer_wal_put_record(char *record, uint64_t salt, uint64_t sequence, uint64_t synced, size_t n) {
    homer_le_put32(record + 8, mark_of(salt));
    homer_le_put32(record + 12, (uint32_t)n);
    homer_le_put64(record + 16, sequence);
    homer_le_put64(record + 24, synced);
    homer_le_put64(record, homer_sum64(salt, record + 8, HOMER_WAL_RECORD - 8 + n));
}

bool homer_wal_get_record(const char *bytes, size_t n, uint64_t salt, struct homer_wal_record *out) {
    if (n < HOMER_WAL_RECORD || homer_le_get32(bytes + 8) != mark_of(salt)) return false;
    size_t payload_n = homer_le_get32(bytes + 12);
    if (payload_n > n - HOMER_WAL_RECORD) return false;
    if (homer_le_get64(bytes) != homer_sum64(salt, bytes + 8, HOMER_WAL_RECORD - 8 + payload_n)) return false;
    *out = (struct homer_wal_record){.sequence = homer_le_get64(bytes + 16),
                                     .synced = homer_le_get64(bytes + 24),
                                     .payload = bytes + HOMER_WAL_RECORD,
                                     .n = payload_n};
    return true;
}

size_t homer_wal_find_record(const char *bytes, size_t n, size_t from, uint64_t salt,
                             struct homer_wal_record *out) {
    uint32_t mark = mark_of(salt);
    while (n - from >= HOMER_WAL_RECORD) {
        const char *found = memmem(bytes + from + 8, n - from - 8, &mark, sizeof mark);
        if (!found) break;
        from = (size_t)(found - bytes) - 8;
        if (homer_wal_get_record(bytes + from, n - from, salt, out)) return from;
        from++;
    }
    return n;
}

static int by_first(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static void list_name(void *arg, const char *name) {
    struct homer_wal_list *l = arg;
    char canonical[HOMER_WAL_NAME];
    if (strncmp(name, "wal-", 4) != 0) return;
    uint64_t first = strtoull(name + 4, NULL, 16);
    homer_wal_name(canonical, first);
    if (strcmp(name, canonical) != 0) return; /* somebody else's, or set aside by a repair */
    if (l->n == l->cap) {
        size_t cap = l->cap ? l->cap * 2 : 16;
        uint64_t *grown = homer_mem_grow(l->mem, l->first, l->cap, cap, sizeof *grown);
        if (!grown) {
            l->failed = true;
            return;
        }
        l->first = grown;
        l->cap = cap;
    }
    l->first[l->n++] = first;
}

int homer_wal_list_read(struct homer_wal_list *l, struct homer_mem *mem, const struct homer_files *files,
                        const char *dir) {
    *l = (struct homer_wal_list){.mem = mem};
    int rc = files->list(files->ctx, dir, list_name, l);
    if (rc < 0) return rc;
    if (l->failed) return -ENOMEM;
    if (l->n) qsort(l->first, l->n, sizeof *l->first, by_first);
    return 0;
}

void homer_wal_list_deinit(struct homer_wal_list *l) {
    homer_mem_free(l->mem, l->first, l->cap, sizeof *l->first);
    *l = (struct homer_wal_list){.mem = l->mem};
}

int homer_wal_path(char out[HOMER_PATH_MAX], const char *dir, uint64_t first) {
    char name[HOMER_WAL_NAME];
    homer_wal_name(name, first);
    return homer_path(out, dir, name);
}
