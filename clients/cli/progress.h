/* A one-line progress bar on a terminal. Without a terminal every call does nothing. One thread. */
#ifndef HOMER_CLI_PROGRESS_H
#define HOMER_CLI_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct homer_progress {
    FILE *to;         /* NULL: off */
    uint64_t total;   /* 0 = not known */
    const char *unit; /* what is counted; NULL: instances */
    double last_s;    /* when it was drawn last */
    char metrics[80]; /* shown at the end of the line; "" = nothing yet */
    bool shown;
};

/* On when `to` is a terminal. */
void homer_progress_init(struct homer_progress *p, FILE *to, uint64_t total);
/* Draws when the last time is a tenth of a second ago: `done` of total after `elapsed_s` seconds. */
void homer_progress_draw(struct homer_progress *p, uint64_t done, double elapsed_s);
/* Takes the bar off the screen, so that other text can be printed; the next draw brings it back. */
void homer_progress_clear(struct homer_progress *p);

/* The line itself, at most `width` columns: what draw prints. */
void homer_progress_format(const struct homer_progress *p, uint64_t done, double elapsed_s, size_t width,
                           char *out, size_t cap);
/* "0:07", "12:34", "1:02:03". */
void homer_duration_format(double seconds, char *out, size_t cap);

#endif
