/* What a service manager gives and wants to hear: sockets that it has opened (LISTEN_FDS), and news of the
 * daemon's state (NOTIFY_SOCKET). The two protocols of systemd, which are a few lines each; libsystemd would
 * bring five compression and cryptography libraries along. Without such a manager nothing here does anything.
 * One thread. */
#ifndef HOMER_DAEMON_SYSTEMD_H
#define HOMER_DAEMON_SYSTEMD_H

#include <stdbool.h>
#include <uv.h>

/* The sockets that were passed are *first, ..., *first + n - 1: returns n, at most 1024; 0 without any. They
 * are made close-on-exec, and the environment forgets them, so that a second call finds none. */
unsigned homer_systemd_sockets(int *first);

/* Tells the manager one or several lines, such as "READY=1\nSTATUS=recovering". What cannot be told is lost.
 */
void homer_systemd_notify(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* When a watchdog wants to hear of us: starts `timer` (to be closed by the caller), which tells it as often
 * as need be that the loop turns. False: nobody wants to, and the timer is not initialised. */
bool homer_systemd_watch(uv_loop_t *loop, uv_timer_t *timer);

#endif
