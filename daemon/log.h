/* The log: one line per event, `time= level= mod= event= key=value ...`, to standard error or a file.
 *
 * One log per process, since a process has one standard error; opened by main, used by daemon/ only. Every
 * line is one write(2), so that lines of several processes or threads never mix in an appended file. Values
 * with blanks, quotes or control characters are quoted and escaped; a line is cut at HOMER_LOG_LINE bytes.
 * Client payloads are never logged. A log that cannot be written is silently lost: the daemon goes on. */
#ifndef HOMER_DAEMON_LOG_H
#define HOMER_DAEMON_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum homer_log_level {
    HOMER_LOG_ERROR = 0,
    HOMER_LOG_WARN,
    HOMER_LOG_INFO,
    HOMER_LOG_DEBUG,
    HOMER_LOG_LEVELS
};
enum { HOMER_LOG_LINE = 1024 };

/* file NULL: standard error. The path is borrowed and must outlive the log (it is opened again by
 * homer_log_reopen). Appends. 0 or negative errno; on failure the log stays what it was. */
int homer_log_open(const char *file, enum homer_log_level level);
/* Opens the file again, for whoever rotates it; the old one stays in use when that fails. 0 or negative
 * errno. */
int homer_log_reopen(void);
/* Back to standard error, level info. */
void homer_log_close(void);
bool homer_log_enabled(enum homer_log_level level);

/* fmt is "key=%s key=%u ...": plain text and the conversions %s %d %u %ld %lu %lld %llu %zu (no flags or
 * widths). %s is quoted where needed and may be NULL. */
void homer_log(enum homer_log_level level, const char *mod, const char *event, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* For hot paths: at most `per_second` lines a second from one call site; the first line after a silence says
 * how many were suppressed. The struct is static at the call site, zeroed. */
struct homer_log_site {
    uint64_t second; /* the second that `lines` counts */
    unsigned lines;
    unsigned suppressed;
};

void homer_log_limited(struct homer_log_site *site, unsigned per_second, enum homer_log_level level,
                       const char *mod, const char *event, const char *fmt, ...)
    __attribute__((format(printf, 6, 7)));
/* The rule behind it, with the clock passed in: true when a line may be written in `second`; *suppressed is
 * what to report. */
bool homer_log_site_pass(struct homer_log_site *site, unsigned per_second, uint64_t second,
                         unsigned *suppressed);

#endif
