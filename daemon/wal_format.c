#include "daemon/wal_format.h"

#include "core/base/sum.h"
#include "daemon/le.h"

static const char magic[8] = {'H', 'O', 'M', 'E', 'R', 'W', 'A', 'L'};

void homer_wal_name(char out[HOMER_NUMBERED_NAME], uint64_t first) {
    homer_numbered_name(out, HOMER_WAL_PREFIX, first);
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

int homer_wal_path(char out[HOMER_PATH_MAX], const char *dir, uint64_t first) {
    return homer_numbered_path(out, dir, HOMER_WAL_PREFIX, first);
}
