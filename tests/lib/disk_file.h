/* Inside the test disk only: one file's bytes, as they are and as they are on the medium; names of files. */
#ifndef HOMER_TESTS_DISK_FILE_H
#define HOMER_TESTS_DISK_FILE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "tests/lib/disk.h"

/* A file's bytes. Sectors carry whether they changed since they were synced. */
struct file {
    unsigned char *now, *durable; /* [cap] each, zero behind their sizes */
    unsigned char *dirty;         /* [cap / DISK_SECTOR] */
    size_t n, durable_n, cap;
    bool size_dirty;
};

static inline void must(bool condition, const char *what) {
    if (condition) return;
    fprintf(stderr, "test disk: %s\n", what);
    abort();
}

static inline void file_room(struct file *f, size_t n) {
    if (n <= f->cap) return;
    size_t cap = f->cap ? f->cap : 4096;
    while (cap < n) cap *= 2;
    unsigned char **part[] = {&f->now, &f->durable, &f->dirty};
    for (int i = 0; i < 3; i++) {
        size_t old = i < 2 ? f->cap : f->cap / DISK_SECTOR, want = i < 2 ? cap : cap / DISK_SECTOR;
        unsigned char *p = realloc(*part[i], want);
        must(p, "no memory");
        memset(p + old, 0, want - old);
        *part[i] = p;
    }
    f->cap = cap;
}

static inline void touch(struct file *f, size_t from, size_t to) {
    for (size_t s = from / DISK_SECTOR; s * DISK_SECTOR < to; s++) f->dirty[s] = 1;
}

static inline void resize(struct file *f, size_t n) {
    file_room(f, n);
    if (n < f->n) {
        memset(f->now + n, 0, f->n - n);
        touch(f, n, f->n);
    }
    f->size_dirty = f->size_dirty || n != f->n;
    f->n = n;
}

static inline void clean(struct file *f) {
    if (f->cap) memset(f->dirty, 0, f->cap / DISK_SECTOR);
    f->size_dirty = false;
}

enum { NAMES = 1024, NAME = 64 };

struct entry {
    char name[NAME];
    struct file *file;
};

struct names {
    struct entry entry[NAMES];
    size_t n;
};

static inline struct entry *find(struct names *names, const char *name) {
    for (size_t i = 0; i < names->n; i++)
        if (strcmp(names->entry[i].name, name) == 0) return &names->entry[i];
    return NULL;
}

static inline void copy_name(char to[NAME], const char *name) {
    must(strlen(name) < NAME, "a name is too long");
    strcpy(to, name);
}

static inline void link_name(struct names *names, const char *name, struct file *file) {
    struct entry *e = find(names, name);
    if (!e) {
        must(names->n < NAMES, "too many names");
        e = &names->entry[names->n++];
        copy_name(e->name, name);
    }
    e->file = file;
}

static inline void unlink_name(struct names *names, const char *name, const struct file *file) {
    struct entry *e = find(names, name);
    if (e && e->file == file) *e = names->entry[--names->n];
}

static inline void copy_names(struct names *to, const struct names *from) {
    memcpy(to->entry, from->entry, from->n * sizeof *from->entry);
    to->n = from->n;
}

#endif
