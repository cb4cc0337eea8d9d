#include "clients/cli/private_daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "clients/cli/args.h"
#include "clients/cli/interrupt.h"

enum { START_MS = 15000, STOP_MS = 10000, STEP_MS = 5, PATH_CAP = 4096, LOG_TAIL = 2000 };

static void pause_ms(long ms) {
    struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    (void)nanosleep(&t, NULL);
}

/* Where homerd is; without a '/' the exec searches PATH. */
static void find_homerd(char *out, size_t cap) {
    char here[PATH_CAP];
    const char *named = getenv("HOMERD");
    snprintf(out, cap, "%s", named && *named ? named : "homerd");
    if (named && *named) return;
    ssize_t n = readlink("/proc/self/exe", here, sizeof(here) - 1);
    if (n <= 0) return;
    here[n] = '\0';
    char *slash = strrchr(here, '/');
    if (!slash) return;
    *slash = '\0';
    const char *const place[] = {"homerd", "../daemon/homerd", "../../daemon/homerd"};
    for (size_t i = 0; i < sizeof(place) / sizeof(place[0]); i++) {
        char path[PATH_CAP + 32];
        snprintf(path, sizeof(path), "%s/%s", here, place[i]);
        if (access(path, X_OK)) continue;
        snprintf(out, cap, "%s", path);
        return;
    }
}

static _Noreturn void child(const char *program, char *const *argv, pid_t parent, int log_fd) {
    /* Never outlives its parent, not even one that died before the call. */
    if (prctl(PR_SET_PDEATHSIG, SIGTERM) || getppid() != parent) _exit(126);
    (void)setpgid(0, 0);
    int null = open("/dev/null", O_RDWR);
    if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(null, STDOUT_FILENO) < 0 ||
        dup2(log_fd, STDERR_FILENO) < 0)
        _exit(126);
    signal(SIGINT, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
    signal(SIGHUP, SIG_DFL);
    signal(SIGPIPE, SIG_DFL);
    execvp(program, argv);
    dprintf(STDERR_FILENO, "cannot run %s: %s; the variable HOMERD may name the daemon\n", program,
            strerror(errno));
    _exit(127);
}

/* The end of the log: the last lines of at most cap - 1 bytes. */
static void log_tail(const struct homer_private *d, char *out, size_t cap) {
    off_t end = lseek(d->log_fd, 0, SEEK_END), from = end > (off_t)cap - 1 ? end - (off_t)(cap - 1) : 0;
    ssize_t n = end > 0 ? pread(d->log_fd, out, cap - 1, from) : 0;
    out[n > 0 ? n : 0] = '\0';
    while (n > 0 && out[n - 1] == '\n') out[--n] = '\0';
}

static bool reap(struct homer_private *d) {
    if (d->pid == 0) return true;
    pid_t got = waitpid(d->pid, &d->status, WNOHANG);
    if (got != d->pid && !(got < 0 && errno == ECHILD)) return false;
    d->pid = 0;
    return true;
}

/* 1: the port file is there and *port read from it; 0: not yet. */
static int read_port(const char *port_file, long *port) {
    json_t *j = json_load_file(port_file, 0, NULL);
    json_t *tcp = json_object_get(j, "tcp");
    *port = json_is_integer(tcp) ? (long)json_integer_value(tcp) : 0;
    json_decref(j);
    return *port > 0;
}

static int await_ready(struct homer_private *d, const char *port_file, struct homer_error *err) {
    long port = 0;
    for (int waited = 0; waited < START_MS; waited += STEP_MS) {
        if (homer_interrupted()) return homer_err_set(err, -EINTR, "interrupted");
        if (read_port(port_file, &port)) {
            snprintf(d->address, sizeof(d->address), "127.0.0.1:%ld", port);
            return 0;
        }
        if (reap(d)) {
            char tail[200];
            log_tail(d, tail, sizeof(tail));
            for (char *p = tail; (p = strchr(p, '\n'));) *p = ';'; /* one message, one line */
            bool usage = WIFEXITED(d->status) && WEXITSTATUS(d->status) == 2;
            return homer_err_set(err, usage ? -EINVAL : -ECHILD, "the private daemon did not start: %s",
                                 tail[0] ? tail : "it ended at once");
        }
        pause_ms(STEP_MS);
    }
    return homer_err_set(err, -ETIMEDOUT, "the private daemon was not ready after %d seconds",
                         START_MS / 1000);
}

int homer_private_start(struct homer_private *d, const char *const *set, size_t set_n,
                        struct homer_error *err) {
    char program[PATH_CAP + 32], dir[PATH_CAP], port_file[PATH_CAP + 16];
    char *argv[5 + 2 * HOMER_LIST_CAP + 1];
    size_t n = 0;
    const char *tmp = getenv("TMPDIR");
    *d = (struct homer_private){.log_fd = -1};
    if (set_n > HOMER_LIST_CAP) return homer_err_set(err, -EINVAL, "too many settings");
    snprintf(dir, sizeof(dir), "%s/homer-XXXXXX", tmp && *tmp ? tmp : "/tmp");
    if (!mkdtemp(dir)) {
        int e = errno;
        return homer_err_set(err, -e, "cannot make a temporary directory %.150s: %s", dir, strerror(e));
    }
    snprintf(port_file, sizeof(port_file), "%s/port", dir);
    find_homerd(program, sizeof(program));
    static char listen_option[] = "--listen", any_port[] = "127.0.0.1:0", file_option[] = "--port-file",
                set_option[] = "--set";
    argv[n++] = program;
    argv[n++] = listen_option;
    argv[n++] = any_port;
    argv[n++] = file_option;
    argv[n++] = port_file;
    for (size_t i = 0; i < set_n; i++) {
        argv[n++] = set_option;
        argv[n++] = (char *)(uintptr_t)set[i]; /* exec takes them so and leaves them alone */
    }
    argv[n] = NULL;

    d->log_fd = memfd_create("homerd-log", MFD_CLOEXEC);
    pid_t self = getpid(), pid = d->log_fd < 0 ? -1 : fork();
    int rc = 0;
    if (pid == 0) child(program, argv, self, d->log_fd);
    if (pid < 0) {
        int e = errno;
        rc = homer_err_set(err, -e, "cannot start a private daemon: %s", strerror(e));
    } else {
        d->pid = pid;
        rc = await_ready(d, port_file, err);
    }
    (void)unlink(port_file);
    (void)rmdir(dir);
    if (rc) homer_private_stop(d);
    return rc;
}

void homer_private_stop(struct homer_private *d) {
    if (d->pid) {
        (void)kill(d->pid, SIGTERM);
        for (int waited = 0; !reap(d) && waited < STOP_MS; waited += STEP_MS) pause_ms(STEP_MS);
    }
    if (d->pid) {
        (void)kill(d->pid, SIGKILL);
        (void)waitpid(d->pid, &d->status, 0);
        d->pid = 0;
    }
    if (d->log_fd >= 0) close(d->log_fd);
    d->log_fd = -1;
}

bool homer_private_died(struct homer_private *d, FILE *to) {
    if (d->log_fd < 0) return false;
    for (int i = 0; i < 20 && !reap(d); i++)
        pause_ms(STEP_MS); /* its sockets close a moment before it is gone */
    if (d->pid) return false;
    char tail[LOG_TAIL];
    log_tail(d, tail, sizeof(tail));
    if (WIFSIGNALED(d->status))
        fprintf(to, "homer: the private daemon was ended by signal %d\n", WTERMSIG(d->status));
    else
        fprintf(to, "homer: the private daemon ended with exit code %d\n", WEXITSTATUS(d->status));
    if (tail[0]) fprintf(to, "%s\n", tail);
    return true;
}
