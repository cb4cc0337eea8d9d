#include "proto/token.h"

size_t homer_token_length(const char *text, size_t n) {
    if (n && text[n - 1] == '\n') n--;
    if (n && text[n - 1] == '\r') n--;
    for (size_t i = 0; i < n; i++)
        if (text[i] <= ' ' || text[i] > '~' || text[i] == '"' || text[i] == '\\') return 0;
    return n >= HOMER_TOKEN_MIN && n <= HOMER_TOKEN_MAX ? n : 0;
}
