#include "daemon/config_keys.h"

#include "daemon/config.h"
#include "daemon/log.h"

#define FIELD(member) offsetof(struct homer_config, member), sizeof(((struct homer_config *)0)->member)
#define NOWHERE 0, 0
#define KIB 1024ull
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)
#define HOUR_MS 3600000ull

/* Indices are enum homer_log_level, enum homer_objective, the bools `absent_missing` and `trees`. */
static const char *const levels[] = {"error", "warn", "info", "debug", NULL};
static const char *const objectives[] = {"example_f1", "micro_f1", "macro_f1", "subset", "hamming", NULL};
static const char *const absences[] = {"zero", "missing", NULL};
static const char *const learners[] = {"ihomer", NULL};
static const char *const profiles[] = {"linear", "fast", NULL};

/* clang-format off: a table is read by columns */
const struct homer_config_key homer_config_keys[] = {
    {"listen", HOMER_KEY_LISTEN, NOWHERE, 0, HOMER_MAX_LISTEN, NULL, "[\"127.0.0.1:7707\"]",
     "HOST:PORT, or an array of them, to take TCP connections on; port 0 picks a free one; loopback only"},
    {"unix", HOMER_KEY_STRING, FIELD(unix_path), 0, 0, NULL, "null",
     "path of a Unix-domain socket to take connections on, mode 0600"},
    {"http", HOMER_KEY_LACKING, NOWHERE, 0, 0, NULL, "null", "this version has no HTTP"},
    {"data_dir", HOMER_KEY_LACKING, NOWHERE, 0, 0, NULL, "null", "this version keeps nothing on disk"},
    {"durability", HOMER_KEY_LACKING, NOWHERE, 0, 0, NULL, "\"none\"", "this version keeps nothing on disk"},
    {"sync_interval_ms", HOMER_KEY_LACKING, NOWHERE, 0, 0, NULL, "null",
     "this version keeps nothing on disk"},
    {"snapshot", HOMER_KEY_LACKING, NOWHERE, 0, 0, NULL, "null", "this version keeps nothing on disk"},
    {"auth_token_file", HOMER_KEY_LACKING, NOWHERE, 0, 0, NULL, "null", "this version has no authentication"},
    {"tls", HOMER_KEY_LACKING, NOWHERE, 0, 0, NULL, "null", "this version has no TLS"},

    {"limits.max_line", HOMER_KEY_BYTES, FIELD(request.max_line), KIB, 256 * MIB, NULL, "\"1MiB\"",
     "bytes of one request line; a longer one is skipped with one too_large error"},
    {"limits.max_depth", HOMER_KEY_UINT, FIELD(request.max_depth), 3, 64, NULL, "8",
     "nesting of objects and arrays in a request"},
    {"limits.max_name", HOMER_KEY_UINT, FIELD(request.max_name), 1, 65535, NULL, "256",
     "bytes of a label, a feature name or a nominal value"},
    {"limits.max_items", HOMER_KEY_UINT, FIELD(request.max_items), 1, 1000000, NULL, "1000",
     "requests in one batch"},
    {"limits.max_x", HOMER_KEY_UINT, FIELD(request.max_x), 1, 10000000, NULL, "100000",
     "features of one instance"},
    {"limits.max_y", HOMER_KEY_UINT, FIELD(request.max_y), 1, 10000000, NULL, "10000",
     "labels of one instance"},
    {"limits.max_connections", HOMER_KEY_UINT, FIELD(conn.max_connections), 1, 65536, NULL, "1024",
     "connections at one time; one more gets a too_many error and is closed"},
    {"limits.max_models", HOMER_KEY_UINT, FIELD(max_models), 1, 1024, NULL, "16", "models at one time"},
    {"limits.high_water", HOMER_KEY_BYTES, FIELD(conn.high_water), 4 * KIB, GIB, NULL, "\"1MiB\"",
     "unsent reply bytes of a connection above which no more of its requests are read"},
    {"limits.low_water", HOMER_KEY_BYTES, FIELD(conn.low_water), 0, GIB, NULL, "\"256KiB\"",
     "unsent reply bytes below which they are read again; less than high_water"},
    {"limits.turn_lines", HOMER_KEY_UINT, FIELD(conn.turn_lines), 1, 100000, NULL, "64",
     "requests that one connection may have answered before the next has its turn"},
    {"limits.max_reply", HOMER_KEY_BYTES, FIELD(max_reply), 64 * KIB, GIB, NULL, "\"64MiB\"",
     "bytes of one batch's reply, after which its further items are refused"},
    {"limits.idle_timeout_ms", HOMER_KEY_UINT, FIELD(conn.drain_timeout_ms), 10, 24 * HOUR_MS, NULL, "60000",
     "milliseconds for which a client may leave replies unread before it is closed; one that owes nothing "
     "may idle for ever"},
    {"limits.shutdown_ms", HOMER_KEY_UINT, FIELD(shutdown_ms), 0, HOUR_MS, NULL, "5000",
     "milliseconds from SIGTERM after which clients that do not read their replies are cut off"},

    {"log.level", HOMER_KEY_WORD, FIELD(log_level), 0, 0, levels, "\"info\"", "how much is logged"},
    {"log.file", HOMER_KEY_STRING, FIELD(log_file), 0, 0, NULL, "null",
     "file to append the log to, opened again on SIGHUP; null is standard error"},

    {"model.learner", HOMER_KEY_FIXED, NOWHERE, 0, 0, learners, "\"ihomer\"",
     "the learning algorithm; this version has one"},
    {"model.profile", HOMER_KEY_WORD, FIELD(model.trees), 0, 0, profiles, "\"fast\"",
     "which experts predict: the linear ones, or also a tree for each cluster of labels"},
    {"model.absent", HOMER_KEY_WORD, FIELD(model.absent_missing), 0, 0, absences, "\"zero\"",
     "what a feature that an instance does not list means: the value 0, or an unknown value"},
    {"model.objective", HOMER_KEY_WORD, FIELD(model.objective), 0, 0, objectives, "\"example_f1\"",
     "the metric that predicted labelsets are chosen for"},
    {"model.seed", HOMER_KEY_UINT, FIELD(model.seed), 0, INT64_MAX, NULL, "1",
     "seed of everything random in a model; the same seed and requests give the same model, bit for bit"},
    {"model.max_memory", HOMER_KEY_BYTES, FIELD(model.max_memory), MIB, 1024 * GIB, NULL, "\"4GiB\"",
     "bytes a model may hold; learning that would pass it is refused with too_many"},
    {"model.max_labels", HOMER_KEY_UINT, FIELD(model.max_labels), 1, 10000000, NULL, "10000",
     "distinct labels of a model"},
    {"model.max_features", HOMER_KEY_UINT, FIELD(model.max_features), 1, 100000000, NULL, "1000000",
     "distinct features of a model; each nominal value and each word of a text is one"},
    {"model.window", HOMER_KEY_UINT, FIELD(model.window), 1, 10000000, NULL, "1000",
     "instances in the sliding window of the metrics"},
    {"model.text.bigrams", HOMER_KEY_BOOL, FIELD(model.text_bigrams), 0, 0, NULL, "false",
     "whether neighbouring words of a text are features too"},
    {"model.hierarchy", HOMER_KEY_LACKING, NOWHERE, 0, 0, NULL, "null",
     "this version learns no label hierarchy"},
    {"model.tree", HOMER_KEY_LACKING, NOWHERE, 0, 0, NULL, "null", "this version learns no trees"},
    {"model.drift", HOMER_KEY_LACKING, NOWHERE, 0, 0, NULL, "null", "this version has no drift detectors"},
};
/* clang-format on */

const size_t homer_config_keys_n = sizeof homer_config_keys / sizeof *homer_config_keys;

_Static_assert(sizeof levels / sizeof *levels == HOMER_LOG_LEVELS + 1, "a word per log level");
_Static_assert(sizeof objectives / sizeof *objectives == HOMER_OBJECTIVE_COUNT + 1, "a word per objective");
