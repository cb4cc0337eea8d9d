#include "clients/cli/mix.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char *const words[HOMER_VERBS] = {"learn", "predict", "test", "ping"};

const char *homer_verb_word(enum homer_verb verb) {
    return words[verb];
}

static int find(const char *word, size_t n) {
    for (int v = 0; v < HOMER_VERBS; v++)
        if (strlen(words[v]) == n && memcmp(words[v], word, n) == 0) return v;
    return -1;
}

int homer_mix_parse(struct homer_mix *m, const char *text, struct homer_error *err) {
    bool given[HOMER_VERBS] = {false};
    uint64_t sum = 0;
    *m = (struct homer_mix){0};
    for (const char *p = text;; p++) {
        size_t n = strcspn(p, "=,");
        int verb = find(p, n);
        if (verb < 0)
            return homer_err_set(err, -EINVAL,
                                 "a mix is made of learn, predict, test and ping, as in learn=80,predict=20; "
                                 "'%.*s' is none of them",
                                 (int)(n < 40 ? n : 40), p);
        if (given[verb]) return homer_err_set(err, -EINVAL, "%s is in the mix twice", words[verb]);
        given[verb] = true;
        p += n;
        unsigned long weight = 1;
        if (*p == '=') {
            char *end;
            errno = 0;
            weight = strtoul(p + 1, &end, 10);
            if (p[1] < '0' || p[1] > '9' || (*end && *end != ',') || errno || weight > HOMER_MIX_MOST)
                return homer_err_set(err, -EINVAL, "the weight of %s must be a whole number from 0 to %d",
                                     words[verb], HOMER_MIX_MOST);
            p = end;
        }
        m->weight[verb] = (uint32_t)weight;
        sum += weight;
        if (*p == '\0') break;
    }
    return sum ? 0 : homer_err_set(err, -EINVAL, "a mix needs a weight above 0");
}

/* Smooth weighted round robin: each gains its weight, the richest goes and pays the sum. */
enum homer_verb homer_mix_next(struct homer_mix *m) {
    int64_t sum = 0;
    int best = 0;
    for (int v = 0; v < HOMER_VERBS; v++) {
        sum += m->weight[v];
        m->credit[v] += m->weight[v];
        if (m->credit[v] > m->credit[best]) best = v;
    }
    m->credit[best] -= sum;
    return (enum homer_verb)best;
}

uint64_t homer_mix_period(const struct homer_mix *m) {
    uint64_t sum = 0, divisor = 0;
    for (int v = 0; v < HOMER_VERBS; v++) {
        uint64_t a = divisor, b = m->weight[v];
        while (b) {
            uint64_t rest = a % b;
            a = b;
            b = rest;
        }
        divisor = a;
        sum += m->weight[v];
    }
    return divisor ? sum / divisor : 1;
}
