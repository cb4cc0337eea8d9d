/* What single keys cannot tell: whether they fit together, and whether the files that they name will do. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "daemon/address.h"
#include "daemon/auth.h"
#include "daemon/config.h"
#include "daemon/privileges.h"
#include "daemon/tls.h"

enum { UNIX_PATH_BYTES = 107 /* what sun_path holds; libuv would cut silently */ };

struct checking {
    const struct homer_config *c;
    struct homer_error *err; /* the first problem; may be NULL */
    int failed;
};

static void tell(struct checking *k, const struct homer_error *problem) {
    if (k->c->on_problem) k->c->on_problem(problem);
    if (k->failed) return;
    k->failed = problem->code;
    if (k->err) *k->err = *problem;
}

static void report(struct checking *k, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void report(struct checking *k, const char *fmt, ...) {
    struct homer_error e = {.code = HOMER_E_BAD_REQUEST};
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(e.message, sizeof e.message, fmt, ap);
    va_end(ap);
    tell(k, &e);
}

static void check_listen(struct checking *k) {
    const struct homer_config *c = k->c;
    union homer_address address;
    struct homer_error e = {0};
    for (unsigned i = 0; i < c->listen_n; i++) {
        if (homer_address_parse(&address, c->listen[i], &e))
            report(k, "listen: %.200s", e.message);
        else if (!c->token_file && !homer_address_is_loopback(&address))
            report(k,
                   "listen: %.60s can be reached from other machines: set auth_token_file, so that homerd "
                   "knows who "
                   "asks, or listen on 127.0.0.1, [::1] or a Unix socket",
                   c->listen[i]);
    }
    if (c->unix_path && (!*c->unix_path || strlen(c->unix_path) > UNIX_PATH_BYTES))
        report(k, "unix: allowed is a path of 1 to %d bytes", UNIX_PATH_BYTES);
    if (c->listen_n == 0 && !c->unix_path) report(k, "listen and unix: nothing to listen on");
}

static void check_files(struct checking *k) {
    const struct homer_config *c = k->c;
    struct homer_error e = {0};
    struct homer_auth auth = {0};
    struct homer_tls *tls = NULL;
    uid_t uid;
    gid_t gid;
    if (homer_user_find(c->user, &uid, &gid, &e)) {
        tell(k, &e);
        return;
    }
    if (homer_auth_load(&auth, c->token_file, uid, &e)) tell(k, &e);
    homer_auth_wipe(&auth);
    if (!c->tls_cert != !c->tls_key)
        report(k, "tls: cert and key belong together, only one of them is set");
    else if (c->tls_cert && homer_tls_load(&tls, c->tls_cert, c->tls_key, uid, &e))
        tell(k, &e);
    homer_tls_free(tls);
}

int homer_config_check(const struct homer_config *c, struct homer_error *err) {
    struct checking k = {.c = c, .err = err};
    check_listen(&k);
    check_files(&k);
    if (c->conn.low_water >= c->conn.high_water)
        report(&k, "limits.low_water: got %zu, allowed is less than limits.high_water, %zu",
               c->conn.low_water, c->conn.high_water);
    return k.failed;
}
