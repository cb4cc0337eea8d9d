#include "daemon/address.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int ill_formed(struct homer_error *err, const char *text) {
    return homer_err_set(err, HOMER_E_BAD_REQUEST,
                         "\"%.100s\" is no address: expected HOST:PORT, such as 127.0.0.1:7707 or [::1]:7707",
                         text);
}

static bool parse_port(const char *s, in_port_t *port) {
    size_t n = strlen(s);
    if (n == 0 || n > 5 || strspn(s, "0123456789") != n) return false;
    long v = strtol(s, NULL, 10);
    *port = htons((uint16_t)v);
    return v <= 65535;
}

int homer_address_parse(union homer_address *out, const char *text, struct homer_error *err) {
    char host[INET6_ADDRSTRLEN + 2];
    const char *colon = strrchr(text, ':');
    in_port_t port;
    memset(out, 0, sizeof *out);
    if (!colon || (size_t)(colon - text) >= sizeof host || !parse_port(colon + 1, &port))
        return ill_formed(err, text);
    size_t n = (size_t)(colon - text);
    memcpy(host, text, n);
    host[n] = '\0';
    if (strcmp(host, "localhost") == 0) snprintf(host, sizeof host, "127.0.0.1");
    if (n > 2 && host[0] == '[' && host[n - 1] == ']') {
        host[n - 1] = '\0';
        if (inet_pton(AF_INET6, host + 1, &out->v6.sin6_addr) != 1) return ill_formed(err, text);
        out->v6.sin6_family = AF_INET6;
        out->v6.sin6_port = port;
    } else if (inet_pton(AF_INET, host, &out->v4.sin_addr) == 1) {
        out->v4.sin_family = AF_INET;
        out->v4.sin_port = port;
    } else {
        return homer_err_set(
            err, HOMER_E_BAD_REQUEST,
            "\"%.100s\": host names other than localhost are not looked up; write 127.0.0.1:PORT or "
            "[::1]:PORT",
            text);
    }
    return 0;
}

bool homer_address_is_loopback(const union homer_address *a) {
    if (a->sa.sa_family == AF_INET6) return IN6_IS_ADDR_LOOPBACK(&a->v6.sin6_addr);
    return ntohl(a->v4.sin_addr.s_addr) >> 24 == 127;
}

void homer_address_print(const union homer_address *a, char out[HOMER_ADDRESS_TEXT]) {
    char host[INET6_ADDRSTRLEN] = "?";
    bool v6 = a->sa.sa_family == AF_INET6;
    inet_ntop(a->sa.sa_family, v6 ? (const void *)&a->v6.sin6_addr : (const void *)&a->v4.sin_addr, host,
              sizeof host);
    snprintf(out, HOMER_ADDRESS_TEXT, v6 ? "[%s]:%u" : "%s:%u", host, homer_address_port(a));
}

unsigned homer_address_port(const union homer_address *a) {
    return ntohs(a->sa.sa_family == AF_INET6 ? a->v6.sin6_port : a->v4.sin_port);
}
