#include "daemon/auth.h"

#include <string.h>
#include "daemon/log.h"
#include "daemon/secret.h"

#define KEY "auth_token_file"

int homer_auth_load(struct homer_auth *a, const char *path, unsigned user, struct homer_error *err) {
    char text[HOMER_TOKEN_FILE];
    size_t n = 0;
    if (!path) {
        homer_auth_wipe(a);
        return 0;
    }
    int code = homer_secret_read(path, KEY, user, text, sizeof text, &n, err);
    n = homer_token_length(text, n);
    if (!code && n == 0)
        code = homer_err_set(
            err, HOMER_E_BAD_REQUEST,
            KEY ": %.80s: a token is one line of %d to %d visible ASCII characters without blanks, "
                "\" and \\; 'openssl rand -hex 32' makes a good one",
            path, HOMER_TOKEN_MIN, HOMER_TOKEN_MAX);
    if (!code) {
        *a = (struct homer_auth){.needed = true, .n = n};
        memcpy(a->token, text, n);
    }
    homer_secret_wipe(text, sizeof text);
    return code;
}

void homer_auth_wipe(struct homer_auth *a) {
    homer_secret_wipe(a, sizeof *a);
}

bool homer_auth_is_open(enum homer_op op) {
    return op == HOMER_OP_AUTH || op == HOMER_OP_PING || op == HOMER_OP_HELP || op == HOMER_OP_QUIT;
}

int homer_auth_check(const struct homer_session *session, enum homer_op op, struct homer_error *err) {
    if (session->trusted || homer_auth_is_open(op)) return 0;
    return homer_err_set(err, HOMER_E_DENIED,
                         "this daemon wants a token first: {\"op\":\"auth\",\"token\":\"...\"}; homer takes "
                         "--token-file FILE");
}

static bool matches(const struct homer_auth *a, struct homer_str token) {
    unsigned char shown[HOMER_TOKEN_MAX] = {0};
    if (token.n > sizeof shown) return false;
    memcpy(shown, token.s, token.n);
    volatile unsigned char different = a->n != token.n; /* volatile: no way out of the loop before its end */
    for (size_t i = 0; i < sizeof shown; i++) different |= (unsigned char)(shown[i] ^ a->token[i]);
    homer_secret_wipe(shown, sizeof shown);
    return !different;
}

int homer_auth_show(const struct homer_auth *a, struct homer_session *session, struct homer_str token,
                    struct homer_error *err) {
    static struct homer_log_site site;
    if (!a->needed || matches(a, token)) {
        session->trusted = true;
        return 0;
    }
    session->refused++;
    homer_log_limited(&site, 1, HOMER_LOG_WARN, "auth", "refused", "session=%llu tries=%u",
                      (unsigned long long)session->id, session->refused);
    return homer_err_set(err, HOMER_E_DENIED, "this is not the token%s",
                         session->refused >= HOMER_AUTH_TRIES ? "; no more tries on this connection" : "");
}
