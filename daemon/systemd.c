#include "daemon/systemd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { FIRST = 3, MOST = 1024, TEXT_BYTES = 1024 };

/* A number from the environment; 0 when it is none. */
static unsigned long long number(const char *name) {
    const char *text = getenv(name);
    if (!text || strspn(text, "0123456789") != strlen(text) || strlen(text) > 18) return 0;
    return strtoull(text, NULL, 10);
}

unsigned homer_systemd_sockets(int *first) {
    unsigned long long n = number("LISTEN_FDS");
    bool ours = number("LISTEN_PID") == (unsigned long long)getpid();
    unsetenv("LISTEN_FDS");
    unsetenv("LISTEN_PID");
    unsetenv("LISTEN_FDNAMES");
    *first = FIRST;
    if (!ours || n > MOST) return 0;
    for (unsigned i = 0; i < n; i++)
        if (fcntl(FIRST + (int)i, F_SETFD, FD_CLOEXEC)) return 0;
    return (unsigned)n;
}

void homer_systemd_notify(const char *fmt, ...) {
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    char text[TEXT_BYTES];
    size_t n = path ? strlen(path) : 0;
    if (n < 2 || n >= sizeof to.sun_path || (path[0] != '/' && path[0] != '@')) return;
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    memcpy(to.sun_path, path, n);
    if (path[0] == '@') to.sun_path[0] = '\0'; /* an abstract one */
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) return;
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n);
    (void)!sendto(fd, text, strlen(text), MSG_NOSIGNAL, (struct sockaddr *)&to, size);
    close(fd);
}

static void on_watch(uv_timer_t *timer) {
    (void)timer;
    homer_systemd_notify("WATCHDOG=1");
}

bool homer_systemd_watch(uv_loop_t *loop, uv_timer_t *timer) {
    uint64_t ms = number("WATCHDOG_USEC") / 1000, half = ms / 2;
    unsigned long long pid = number("WATCHDOG_PID");
    if (half == 0 || (pid && pid != (unsigned long long)getpid())) return false;
    uv_timer_init(loop, timer);
    uv_timer_start(timer, on_watch, half, half);
    return true;
}
