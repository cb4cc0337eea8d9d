#include "decode_lines.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static struct {
    const uint8_t *data; /* choices; when they are used up, a generator goes on */
    size_t n, at;
    uint64_t rng;
    char line[1 << 16];
    size_t line_n;
    bool is_tame; /* nothing odd in this line */
} gen;

static unsigned below(unsigned n) {
    gen.rng = gen.rng * 6364136223846793005u + 1442695040888963407u;
    if (gen.at < gen.n) gen.rng ^= (uint64_t)gen.data[gen.at++] << 40;
    return (unsigned)((gen.rng >> 33) % n);
}

/* One time in n, but never in a tame line. */
static bool odd(unsigned n) {
    return !gen.is_tame && below(n) == 0;
}

static void add_bytes(const char *s, size_t n) {
    if (gen.line_n + n > sizeof gen.line) return;
    memcpy(gen.line + gen.line_n, s, n);
    gen.line_n += n;
}

static void add(const char *s) {
    add_bytes(s, strlen(s));
}

static void add_space(void) {
    static const char *const some[] = {" ", "  ", "\t", "\r", "\n"};
    if (below(24) == 0) add(some[below(5)]);
}

static void add_one_of(const char *const *words, unsigned n) {
    add(words[below(n)]);
}

#define ADD_ONE_OF(words) add_one_of(words, sizeof words / sizeof *words)

/* One of the words between spaces. */
static void add_word(const char *words) {
    size_t n = 1;
    for (const char *at = words; *at; at++) n += *at == ' ';
    for (n = below((unsigned)n); n > 0; n--) words = strchr(words, ' ') + 1;
    add_bytes(words, strcspn(words, " "));
}

static void add_digits(unsigned n) {
    char digit[2] = "0";
    for (unsigned i = 0; i < n; i++) {
        digit[0] = (char)('0' + below(10));
        add(digit);
    }
}

static void add_number(void) {
    static const char odd_ones[] =
        "0 -0 -0.0 0.0 1 -1 0e5 0.0000000000000000000000000000000 1e22 1e23 9007199254740993 "
        "9007199254740993.0 9007199254740992.5 9007199254740993e0 1e-45 1e-160 1e-161 1e-400 "
        "2.2250738585072011e-308 3.4028234663852886e38 3.4028235677973366e38 1e38 1e39 1e64 1e65 "
        "1e308 1e309 1e999 -1e999 9223372036854775807 9223372036854775808 -9223372036854775808 "
        "-9223372036854775809 18446744073709551616 01 - 1. .5 1e 1e+ +1 1E5 1e+5 1e-5 0x10 NaN "
        "Infinity 1.5e00000000000000000000003 1e100000000000000000000 0e100000000000000000000 "
        "123456789012345678901234567890 0.10000000000000000000000000000000000001 "
        "1.00000000000000011102230246251565404236316680908203125 "
        "1.00000000000000011102230246251565404236316680908203124 "
        "1.00000000000000011102230246251565404236316680908203126 7.0064923216240853e-46 0.1e1 "
        "12345678e-8";
    char text[64];
    double d;
    uint64_t bits;
    if (odd(20)) {
        add_word(odd_ones);
        return;
    }
    switch (below(8)) {
    case 1: /* any double within the range of a float */
        bits = (uint64_t)(1023 - 140 + below(260)) << 52 | (uint64_t)below(1u << 20) << 32 | below(1u << 31);
        memcpy(&d, &bits, sizeof d);
        snprintf(text, sizeof text, below(2) ? "%.17g" : "%.16g", below(2) ? d : -d);
        add(text);
        return;
    case 2: /* half way between two doubles: 54 bits */
        snprintf(text, sizeof text, "%" PRIu64 "%s",
                 UINT64_C(9007199254740993) + 2 * ((uint64_t)below(1u << 20) << 31 | below(1u << 31)),
                 (const char *const[]){".0", "e0", ".5", "00e-2", "0e-1", "e1"}[below(6)]);
        add(text);
        return;
    case 3:
        add_digits(1 + below(22));
        add(".");
        add_digits(1 + below(22));
        return;
    default:
        break;
    }
    if (below(3) == 0) add("-");
    snprintf(text, sizeof text, "%u", below(below(4) ? 10 : 100000));
    add(text);
    if (below(3)) {
        add(".");
        add_digits(1 + below(below(3) ? 7 : 20));
    }
    if (below(8) == 0) {
        snprintf(text, sizeof text, "%c%s%u", below(2) ? 'e' : 'E',
                 (const char *const[]){"", "-", "+"}[below(3)], below(gen.is_tame ? 16 : 60));
        add(text);
    }
}

static void add_string(void) {
    static const char *const words[] = {"\"a\"",
                                        "\"b\"",
                                        "\"Att1\"",
                                        "\"sevens_\"",
                                        "\"eight_it\"",
                                        "\"nineteen_in_letters\"",
                                        "\"fifteen_letters\"",
                                        "\"sixteen__letters\"",
                                        "\"seventeen_letters\"",
                                        "\"twenty-four letters long\"",
                                        "\"gr\xc3\xbc\xc3\x9f\x65\"",
                                        "\"\xe6\xbc\xa2\xe5\xad\x97\"",
                                        "\"\xf0\x9f\x98\x80\"",
                                        "\"\x7f\""};
    static const char *const odd_ones[] = {"\"twenty-five letters long.\"",
                                           "\"\"",
                                           "\"a\\\"b\"",
                                           "\"\\u00e9\"",
                                           "\"\\u0061\"",
                                           "\"\\ud83d\\ude00\"",
                                           "\"\\ud83d\"",
                                           "\"\\ude00\"",
                                           "\"\\ud83d\\u0061\"",
                                           "\"\\u0000\"",
                                           "\"\\\\\"",
                                           "\"\\n\\t\\b\\f\\r\\/\"",
                                           "\"\\x\"",
                                           "\"\\u12\"",
                                           "\"\\u12g4\"",
                                           "\"\\UABCD\"",
                                           "\"\\uABcd\"",
                                           "\"\t\"",
                                           "\"\x1f\"",
                                           "\"\xff\"",
                                           "\"\xc0\x80\"",
                                           "\"\xe0\x9f\xbf\"",
                                           "\"\xed\xa0\x80\"",
                                           "\"\xf4\x90\x80\x80\"",
                                           "\"\xf0\x8f\xbf\xbf\"",
                                           "\"\xe2\x82\"",
                                           "\"\xc3\"",
                                           "\"\\",
                                           "\"",
                                           "\"abcdefg\\",
                                           "\"a",
                                           "\"\xc2\x80\"",
                                           "\"\xed\x9f\xbf\"",
                                           "\"\xf4\x8f\xbf\xbf\""};
    if (odd(20)) {
        ADD_ONE_OF(odd_ones);
    } else {
        ADD_ONE_OF(words);
    }
}

/* Keys that mostly come in one order, so that lines resemble the lines before. */
static void add_key(unsigned place) {
    char text[40];
    if (odd(20)) {
        add_string();
        return;
    }
    if (odd(60)) place = below(24);
    snprintf(text, sizeof text, "\"%.*s%u\"", (int)(place % 5 * 5), "feature_with_a_name_", place);
    add(text);
}

static void add_value(void) {
    switch (below(12)) {
    case 0:
        add_string();
        break;
    case 1:
        add(below(2) ? "true" : "false");
        break;
    case 2:
        add(below(8)
                ? "null"
                : (const char *const[]){"nul", "True", "{}", "[[]]", "[1]", "tru", "nullx", ""}[below(8)]);
        break;
    case 3:
        add("[");
        for (unsigned i = 0, n = below(4); i < n; i++) {
            if (i) add(",");
            add_space();
            add_string();
            add_space();
        }
        add("]");
        break;
    default:
        add_number();
    }
}

static void add_x(void) {
    unsigned n = odd(16) ? below(45) : 12, kind = below(8), skip = below(3) ? 0 : 2 + below(4);
    add(kind ? "{" : "[");
    bool first = true;
    for (unsigned i = 0; i < n; i++) {
        if (skip && below(skip) == 0) continue;
        if (!first) add(",");
        first = false;
        add_space();
        if (kind) {
            add_key(i);
            add_space();
            add(":");
            add_space();
            add_value();
        } else if (!odd(100)) {
            add_number();
        } else {
            add_value();
        }
        add_space();
    }
    add(kind ? "}" : "]");
}

static void add_y(void) {
    bool partial = below(4) == 0;
    add(partial ? "{" : "[");
    for (unsigned i = 0, n = odd(30) ? below(8) : below(5); i < n; i++) {
        if (i) add(",");
        add_space();
        add_string();
        if (partial) {
            add_space();
            add(":");
            add_space();
            add(!odd(20) ? (const char *const[]){"true", "false", "null"}[below(3)] : "1");
        }
    }
    add(partial ? "}" : "]");
}

static void add_field(void) {
    static const char *const plain[] = {
        "\"id\":7",
        "\"id\":-0",
        "\"id\":\"q\"",
        "\"id\":\"a\\u0041\"",
        "\"id\":1.5",
        "\"id\":9223372036854775808",
        "\"model\":\"m-1\"",
        "\"model\":\"a b\"",
        "\"model\":\"\"",
        "\"w\":2",
        "\"w\":0.25",
        "\"w\":-1",
        "\"w\":1e7",
        "\"w\":true",
        "\"t\":\"2025\"",
        "\"t\":17.5",
        "\"t\":null",
        "\"src\":\"s\",\"n\":3",
        "\"src\":\"s\"",
        "\"n\":1",
        "\"n\":-1",
        "\"n\":3.0",
        "\"noreply\":true",
        "\"noreply\":1",
        "\"metrics\":true",
        "\"k\":3",
        "\"k\":0",
        "\"threshold\":0.5",
        "\"threshold\":2",
        "\"objective\":\"subset\"",
        "\"scores\":\"all\"",
        "\"scores\":\"top:3\"",
        "\"scores\":false",
        "\"scores\":true",
        "\"track\":true",
        "\"track\":true,\"id\":1",
        "\"title\":\"t\"",
        "\"places\":[\"usa\",1,null]",
        "\"places\":[[1]]",
        "\"more\":{\"a\":1}",
        "\"explain\":true",
        "\"op\":\"learn\"",
        "\"op\":\"predict\"",
        "\"op\":\"test\"",
        "\"op\":\"stats\"",
        "\"op\":\"fly\"",
        "\"op\":1",
        "\"text\":\"plain words\"",
        "\"text\":7",
        "\"config\":{}",
        "\"items\":[]",
        "\"prefix\":\"a\"",
        "\"\\u0069d\":5",
        "\"title\":1e999",
        "\"big\":99999999999999999999",
        "\"x\":1",
        "\"y\":null",
        "\"a1\":1,\"a2\":2,\"a3\":3,\"a4\":4,\"a5\":5,\"a6\":6,\"a7\":7,\"a8\":8,\"a9\":9"};
    static const char *const usual[] = {"\"id\":7", "\"id\":\"q\"", "\"model\":\"m-1\"", "\"t\":\"2025\""};
    if (odd(2)) {
        ADD_ONE_OF(plain);
    } else {
        ADD_ONE_OF(usual);
    }
}

static void add_object(void) {
    add("{");
    add_space();
    unsigned op = below(5); /* none, learn, test, test, predict */
    add((const char *const[]){"", "\"op\":\"learn\",", "\"op\":\"test\",", "\"w\":0.25,\"op\":\"test\",",
                              "\"op\":\"predict\","}[op]);
    add_space();
    for (unsigned i = below(4) ? 0 : below(3); i > 0; i--) {
        add_field();
        add(",");
    }
    bool text = below(8) == 0;
    if (text) {
        add("\"text\":");
        add_string();
    }
    if (!text || below(2)) {
        add(text ? ",\"x\":" : "\"x\":");
        add_x();
    }
    if (odd(20) || op < 4) {
        add(",\"y\":");
        add_y();
    }
    add_space();
    if (odd(8)) {
        add(",");
        add_field();
    }
    add("}");
}

static void add_batch(void) {
    static const char *const fields[] = {"\"id\":1,", "\"model\":\"m-2\",", "", ""};
    bool late = odd(10);
    add("{");
    ADD_ONE_OF(fields);
    if (!late) add("\"op\":\"batch\",");
    ADD_ONE_OF(fields);
    add("\"items\":[");
    for (unsigned i = 0, n = odd(20) ? below(8) : below(5); i < n; i++) {
        if (i) add(",");
        add_space();
        add_object();
        add_space();
    }
    add("]");
    if (late) add(below(3) ? ",\"op\":\"batch\"" : ",\"op\":\"batch\",\"model\":\"m-3\"");
    add("}");
}

void decode_lines_begin(const uint8_t *data, size_t n) {
    gen.data = data;
    gen.n = n < 64 ? n : 64;
    gen.at = 0;
    for (size_t i = 0; i < gen.n; i++) gen.rng = gen.rng * 31 + data[i];
}

const char *decode_line(size_t *n) {
    gen.line_n = 0;
    gen.is_tame = below(2);
    if (below(8) == 0) {
        add_batch();
    } else {
        add_object();
    }
    add_space();
    if (odd(40)) add(below(2) ? "," : "}");
    if (odd(40)) gen.line_n = below((unsigned)gen.line_n + 1);
    if (odd(40) && gen.line_n) gen.line[below((unsigned)gen.line_n)] = (char)below(256);
    *n = gen.line_n;
    return gen.line;
}
