/* homerd: options, configuration, then one loop until a signal ends it. */
#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <uv.h>

#include "daemon/ahead.h"
#include "daemon/boot.h"
#include "daemon/config.h"
#include "daemon/engine.h"
#include "daemon/log.h"
#include "daemon/options.h"
#include "daemon/privileges.h"
#include "daemon/server.h"
#include "daemon/systemd.h"

enum { EXIT_OK = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };
enum { SPARE_FILES = 128 }; /* descriptors beside those of connections: listeners, refusals, loop, log */

static const int signals[] = {SIGTERM, SIGINT, SIGHUP};
enum { SIGNALS = sizeof signals / sizeof *signals };

struct process {
    struct homer_options options;
    struct homer_config config;
    uv_loop_t loop;
    uv_signal_t signal[SIGNALS]; /* [signal_n] initialised */
    unsigned signal_n;
    struct homer_engine *engine;
    struct homer_server *server;
    struct homer_boot boot; /* where there is a data folder */
    uv_timer_t watchdog;    /* of a service manager, while is_watched */
    bool is_watched, is_stopping, is_stopped;
    int status; /* EXIT_* */
};

static void complain(const struct homer_error *e) {
    fprintf(stderr, "homerd: %s\n", e->message);
}

static int failed(const char *what, int err) {
    fprintf(stderr, "homerd: %s: %s\n", what, strerror(-err));
    return EXIT_FAILED;
}

static uint64_t now_ms(void) {
    return uv_hrtime() / 1000000;
}

static uint64_t wall_ms(void) {
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* ---- signals ---- */

static void on_stopped(void *ctx) {
    struct process *p = ctx;
    sigset_t all;
    p->is_stopped = true;
    if (p->boot.store) homer_store_stop(p->boot.store);
    /* From here on it ends by itself; a late signal, met without a handler, would turn a clean exit into a
     * killed one. */
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, NULL);
    for (unsigned i = 0; i < p->signal_n; i++) uv_close((uv_handle_t *)&p->signal[i], NULL);
    if (p->is_watched) uv_close((uv_handle_t *)&p->watchdog, NULL);
}

static void on_signal(uv_signal_t *handle, int number) {
    struct process *p = handle->data;
    if (number == SIGHUP) {
        int err = homer_log_reopen();
        if (err) homer_log(HOMER_LOG_ERROR, "main", "log_reopen", "error=%s", strerror(-err));
        homer_server_reload(p->server);
        return;
    }
    if (p->is_stopped) return;
    if (p->is_stopping) {
        if (p->options.port_file) unlink(p->options.port_file);
        _exit(EXIT_FAILED);
    }
    p->is_stopping = true;
    homer_systemd_notify("STOPPING=1\nSTATUS=stopping");
    homer_log(HOMER_LOG_INFO, "main", "stopping", "signal=%s connections=%u", strsignal(number),
              homer_server_stats(p->server)->open);
    homer_boot_cancel(&p->boot);
    homer_server_stop(p->server, on_stopped, p);
}

static int watch_signals(struct process *p) {
    for (; p->signal_n < SIGNALS; p->signal_n++) {
        uv_signal_t *s = &p->signal[p->signal_n];
        int err = uv_signal_init(&p->loop, s);
        if (err) return err;
        s->data = p;
        err = uv_signal_start(s, on_signal, signals[p->signal_n]);
        if (!err) continue;
        p->signal_n++; /* initialised: has to be closed */
        return err;
    }
    return 0;
}

/* ---- start ---- */

/* As many descriptors as connections may need; where the system does not give them, fewer connections. */
static void raise_file_limit(struct homer_config *c) {
    struct rlimit files;
    rlim_t want = (rlim_t)c->conn.max_connections + SPARE_FILES;
    if (getrlimit(RLIMIT_NOFILE, &files) || files.rlim_cur >= want) return;
    files.rlim_cur = files.rlim_max < want ? files.rlim_max : want;
    if (setrlimit(RLIMIT_NOFILE, &files) || files.rlim_cur >= want) return;
    unsigned fewer =
        (unsigned)(files.rlim_cur > 2 * SPARE_FILES ? files.rlim_cur - SPARE_FILES : files.rlim_cur / 2);
    if (fewer > c->conn.max_connections) return;
    homer_log(HOMER_LOG_WARN, "main", "few_files", "max_connections=%u was=%u", fewer,
              c->conn.max_connections);
    c->conn.max_connections = fewer;
}

static void tell_start(const struct process *p) {
    struct homer_mem mem = {0};
    struct homer_buf where;
    homer_buf_init(&where, &mem);
    homer_server_describe(p->server, &where);
    homer_buf_putc(&where, '\0');
    const char *text = where.failed ? "?" : where.data;
    const struct homer_store_config *store = &p->config.store;
    if (store->dir)
        fprintf(stderr, "homerd %s: listening on %s; data folder %s, durability %s\n", HOMER_VERSION, text,
                store->dir, homer_store_promise(store));
    else
        fprintf(stderr, "homerd %s: listening on %s; nothing is kept on disk, models live in memory only\n",
                HOMER_VERSION, text);
    if (p->config.log_file)
        homer_log(HOMER_LOG_INFO, "main", "start", "version=%s listen=%s durability=%s", HOMER_VERSION, text,
                  homer_store_promise(store));
    homer_buf_deinit(&where);
}

static void stop_failed(struct process *p) {
    p->status = EXIT_FAILED;
    homer_server_stop(p->server, on_stopped, p);
}

/* The state is there: whoever waits for the port file may come. */
static int ready(struct process *p) {
    struct homer_error err = {0};
    if (p->options.port_file && homer_server_write_port_file(p->server, p->options.port_file, &err)) {
        complain(&err);
        return err.code;
    }
    homer_systemd_notify("READY=1\nSTATUS=serving");
    return 0;
}

static void on_booted(void *ctx, int rc, const struct homer_error *err) {
    struct process *p = ctx;
    if (p->is_stopped && p->boot.store) homer_store_stop(p->boot.store);
    if (rc == -ECANCELED || p->is_stopping) return;
    if (rc) {
        if (err->code)
            complain(err);
        else
            failed("cannot recover the state", rc);
    }
    if (rc || ready(p)) stop_failed(p);
}

static int boot(struct process *p, uint64_t salt, struct homer_error *err) {
    int rc = homer_store_lock(&homer_files_system, p->config.store.dir, &p->boot.lock, err);
    if (rc) return rc;
    p->boot.loop = &p->loop;
    p->boot.config = &p->config;
    p->boot.engine = p->engine;
    p->boot.group = homer_server_group(p->server);
    p->boot.files = &homer_files_system;
    p->boot.salt = salt;
    p->boot.force_config = p->options.force_config;
    p->boot.on_end = on_booted;
    p->boot.ctx = p;
    homer_boot_start(&p->boot);
    return 0;
}

static int start(struct process *p, uint64_t salt) {
    struct homer_error err = {0};
    int code = watch_signals(p);
    if (code) return failed("cannot watch signals", code);
    if (homer_server_listen(p->server, &err) || homer_user_become(p->config.user, &err)) {
        complain(&err);
        return EXIT_FAILED;
    }
    p->is_watched = homer_systemd_watch(&p->loop, &p->watchdog);
    if (p->config.store.dir && boot(p, salt, &err)) {
        complain(&err);
        return EXIT_FAILED;
    }
    tell_start(p);
    return p->config.store.dir || ready(p) == 0 ? EXIT_OK : EXIT_FAILED;
}

static void serve(struct process *p, uint64_t salt) {
    p->status = start(p, salt);
    if (p->status != EXIT_OK) homer_server_stop(p->server, on_stopped, p);
    uv_run(&p->loop, UV_RUN_DEFAULT);
    if (homer_store_close(p->boot.store)) p->status = EXIT_FAILED;
    const struct homer_conn_stats *s = homer_server_stats(p->server);
    if (p->status == EXIT_OK)
        homer_log(HOMER_LOG_INFO, "main", "stopped", "accepted=%llu lines=%llu",
                  (unsigned long long)s->accepted, (unsigned long long)s->lines);
}

/* A second core parses what the first is going to learn; on a machine with one there is nothing to win. */
static void decode_ahead(struct process *p) {
    struct homer_ahead *ahead = homer_engine_ahead(p->engine);
    homer_conn_group_ahead(homer_server_group(p->server), ahead);
    if (p->config.decode_threads == 0 || uv_available_parallelism() < 2) return;
    int err = homer_ahead_start(ahead);
    if (err) homer_log(HOMER_LOG_WARN, "main", "no_decode_thread", "error=%s", uv_strerror(err));
}

/* What grows and shrinks stays with the process, some MiB of it: faults of fresh pages were a sixth of the
 * time of learning in a new model. */
static void keep_memory(void) {
#ifdef __GLIBC__
    mallopt(M_TOP_PAD, 1 << 20);
    mallopt(M_TRIM_THRESHOLD, 16 << 20);
    mallopt(M_MMAP_THRESHOLD, 1 << 20);
#endif
}

/* Makes what serving needs, one inside the other, and takes it apart again in reverse. */
static int run(struct process *p) {
    static const struct homer_clock clock = {now_ms, wall_ms};
    struct {
        uint8_t key[16];
        uint64_t salt;
    } random;
    int err;
    p->status = EXIT_FAILED;
    if (getrandom(&random, sizeof random, 0) != (ssize_t)sizeof random)
        return failed("no random numbers", -errno);
    err = homer_engine_new(&p->engine, &p->config, random.key, &clock);
    if (err) return failed("cannot start the engine", err);
    err = uv_loop_init(&p->loop);
    if (!err) {
        err = homer_server_new(&p->server, &p->loop, &p->config, homer_engine_line, p->engine);
        if (!err) {
            homer_engine_watch(p->engine, homer_server_stats(p->server));
            homer_engine_guard(p->engine, homer_server_auth(p->server));
            decode_ahead(p);
            serve(p, random.salt);
            homer_engine_watch(p->engine, NULL);
            p->server = homer_server_free(p->server);
        }
        if (uv_loop_close(&p->loop)) homer_log(HOMER_LOG_ERROR, "main", "loop_busy", "status=%d", p->status);
    }
    if (err) failed("cannot start", err);
    p->engine = homer_engine_free(p->engine);
    return p->status;
}

static int repair(struct process *p) {
    const struct homer_files *files = &homer_files_system;
    struct homer_error err = {0};
    int lock = -1, rc = homer_user_become(p->config.user, &err);
    if (!rc) rc = homer_store_lock(files, p->config.store.dir, &lock, &err);
    if (!rc) rc = homer_restore_repair(files, p->config.store.dir, &err);
    if (rc) complain(&err);
    homer_file_close(files, lock);
    return rc ? EXIT_FAILED : EXIT_OK;
}

static int start_with_log(struct process *p) {
    int err = homer_log_open(p->config.log_file, (enum homer_log_level)p->config.log_level);
    if (err) {
        fprintf(stderr, "homerd: cannot open the log file %s: %s\n", p->config.log_file, strerror(-err));
        return EXIT_FAILED;
    }
    raise_file_limit(&p->config);
    int status = p->options.repair ? repair(p) : run(p);
    homer_log_close();
    return status;
}

static int configured(struct process *p) {
    int err = homer_config_init(&p->config);
    p->config.on_problem = complain;
    if (!err) err = homer_options_apply(&p->options, &p->config);
    if (err) return err == -ENOMEM ? failed("cannot start", err) : EXIT_USAGE;
    if (!p->options.check) return start_with_log(p);
    puts("configuration ok");
    return EXIT_OK;
}

int main(int argc, char **argv) {
    static struct process p;
    int status = EXIT_OK;
    keep_memory();
    umask(077);               /* what is written here is nobody else's business */
    signal(SIGPIPE, SIG_IGN); /* a lost peer is an error code of write */
    signal(SIGXFSZ, SIG_IGN); /* so is a file that may not grow */
    int err = homer_options_parse(&p.options, argc, argv);
    if (err) {
        status = err == -ENOMEM ? failed("cannot start", err) : EXIT_USAGE;
    } else if (p.options.help) {
        homer_options_help();
    } else if (p.options.version) {
        puts("homerd " HOMER_VERSION);
    } else {
        status = configured(&p);
        homer_config_deinit(&p.config);
    }
    homer_options_deinit(&p.options);
    return status;
}
