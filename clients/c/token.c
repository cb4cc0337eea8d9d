#include "clients/c/token.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include "proto/token.h"

static int read_token(const char *file, char out[HOMER_TOKEN_FILE], struct homer_error *err) {
    FILE *in = fopen(file, "re");
    if (!in)
        return homer_err_set(err, -EINVAL, "the token file %.150s cannot be read: %s", file, strerror(errno));
    size_t n = fread(out, 1, HOMER_TOKEN_FILE, in);
    if (ferror(in)) n = 0;
    fclose(in);
    n = homer_token_length(out, n);
    out[n] = '\0';
    if (n) return 0;
    return homer_err_set(
        err, -EINVAL, "the token file %.120s holds no token: one line of %d to %d visible ASCII characters",
        file, HOMER_TOKEN_MIN, HOMER_TOKEN_MAX);
}

static long long now_ms(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (long long)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Waits for the reply and judges it: a whole line that begins as a success does. */
static int await(struct homer_client *c, const char *file, int timeout_ms, struct homer_error *err) {
    static const char success[] = "{\"ok\":true";
    const char *reply;
    size_t n;
    int rc;
    long long give_up = now_ms() + timeout_ms, left;
    while ((rc = homer_client_reply(c, &reply, &n, err)) == 0) {
        left = give_up - now_ms();
        if (left <= 0)
            return homer_err_set(err, -ETIMEDOUT, "the daemon at %.150s does not answer",
                                 homer_client_address(c));
        rc = homer_client_step(c, (int)left, err);
        if (rc) return rc;
    }
    if (rc < 0) return rc;
    if (n >= sizeof success - 1 && memcmp(reply, success, sizeof success - 1) == 0) return 0;
    return homer_err_set(err, -EACCES, "the daemon at %.100s does not take the token in %.100s: denied",
                         homer_client_address(c), file);
}

int homer_client_show_token(struct homer_client *c, const char *file, int timeout_ms,
                            struct homer_error *err) {
    char token[HOMER_TOKEN_FILE], request[HOMER_TOKEN_FILE + 64];
    int rc = read_token(file, token, err);
    if (rc == 0) {
        int n = snprintf(request, sizeof request, "{\"op\":\"auth\",\"token\":\"%s\"}", token);
        rc = homer_client_send(c, request, (size_t)n, err);
        explicit_bzero(request, sizeof request);
    }
    explicit_bzero(token, sizeof token);
    return rc ? rc : await(c, file, timeout_ms, err);
}
