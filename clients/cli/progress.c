#include "clients/cli/progress.h"

#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { BAR = 24, WIDEST = 200 };

void homer_progress_init(struct homer_progress *p, FILE *to, uint64_t total) {
    *p = (struct homer_progress){.to = isatty(fileno(to)) ? to : NULL, .total = total};
}

void homer_duration_format(double seconds, char *out, size_t cap) {
    unsigned long long s = seconds > 0 && seconds < 1e15 ? (unsigned long long)(seconds + 0.5) : 0;
    if (s < 3600)
        snprintf(out, cap, "%llu:%02llu", s / 60, s % 60);
    else
        snprintf(out, cap, "%llu:%02llu:%02llu", s / 3600, s / 60 % 60, s % 60);
}

/* Appends a part, two blanks before it, when it fits as a whole. */
static void part(char *out, size_t cap, const char *text) {
    size_t n = strlen(out), gap = n ? 2 : 0;
    if (n + gap + strlen(text) < cap) snprintf(out + n, cap - n, "%s%s", gap ? "  " : "", text);
}

void homer_progress_format(const struct homer_progress *p, uint64_t done, double elapsed_s, size_t width,
                           char *out, size_t cap) {
    char text[128], bar[BAR + 1], eta[32];
    if (width + 1 < cap) cap = width + 1;
    if (cap == 0) return;
    out[0] = '\0';
    double rate = elapsed_s > 0 ? (double)done / elapsed_s : 0;
    if (p->total) {
        double share = done < p->total ? (double)done / (double)p->total : 1;
        size_t full = (size_t)(share * BAR);
        memset(bar, '-', BAR);
        memset(bar, '#', full);
        bar[BAR] = '\0';
        snprintf(text, sizeof(text), "[%s] %3d%%", bar, (int)(share * 100));
        part(out, cap, text);
        snprintf(text, sizeof(text), "%llu/%llu", (unsigned long long)done, (unsigned long long)p->total);
    } else {
        snprintf(text, sizeof(text), "%llu %s", (unsigned long long)done, p->unit ? p->unit : "instances");
    }
    part(out, cap, text);
    snprintf(text, sizeof(text), "%.0f/s", rate);
    part(out, cap, text);
    if (p->total && rate > 0) {
        homer_duration_format((double)(p->total - (done < p->total ? done : p->total)) / rate, eta,
                              sizeof(eta));
        snprintf(text, sizeof(text), "ETA %s", eta);
        part(out, cap, text);
    }
    if (p->metrics[0]) part(out, cap, p->metrics);
}

void homer_progress_draw(struct homer_progress *p, uint64_t done, double elapsed_s) {
    if (!p->to || (p->last_s >= 0 && elapsed_s - p->last_s < 0.1)) return;
    struct winsize w;
    size_t width = ioctl(fileno(p->to), TIOCGWINSZ, &w) == 0 && w.ws_col > 1 ? w.ws_col - 1u : 79;
    char line[WIDEST + 1];
    homer_progress_format(p, done, elapsed_s, width, line, sizeof(line));
    fprintf(p->to, "\r%s\033[K", line);
    fflush(p->to);
    p->last_s = elapsed_s;
    p->shown = true;
}

void homer_progress_clear(struct homer_progress *p) {
    if (!p->to || !p->shown) return;
    fputs("\r\033[K", p->to);
    fflush(p->to);
    p->shown = false;
    p->last_s = -1;
}
