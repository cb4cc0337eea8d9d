#include "daemon/config_keys.h"

#include "daemon/config.h"
#include "daemon/log.h"

#define FIELD(member) offsetof(struct homer_config, member), sizeof(((struct homer_config *)0)->member)
#define CLUSTERS(member) FIELD(model.clusters.member)
#define HIERARCHY(member) FIELD(model.clusters.hierarchy.member)
#define TREE(member) FIELD(model.clusters.tree.member)
#define NOWHERE 0, 0
#define WHOLE(min, max) min, max, 0, 0
#define REAL(least, most) 0, 0, least, most
#define ANY 0, 0, 0, 0
#define KIB 1024ull
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)
#define HOUR_MS 3600000ull

/* Indices are enum homer_log_level, enum homer_learner_kind, enum homer_objective, enum homer_drift_scope,
 * enum homer_profile, enum homer_storage, enum homer_durability, the bool `absent_missing`. */
static const char *const levels[] = {"error", "warn", "info", "debug", NULL};
static const char *const objectives[] = {"example_f1", "micro_f1", "macro_f1", "subset", "hamming", NULL};
static const char *const absences[] = {"zero", "missing", NULL};
static const char *const learners[] = {"ihomer", "ihomer-paper", NULL};
static const char *const scopes[] = {"off", "cluster", "global", "both", NULL};
static const char *const durabilities[] = {"always", "interval", "none", NULL};
static const char *const storages[] = {"auto", "dense", "sparse", NULL};
static const char *const profiles[] = {"linear", "fast", "accurate", NULL};

/* clang-format off: a table is read by columns */
const struct homer_config_key homer_config_keys[] = {
    {"listen", HOMER_KEY_LISTEN, NOWHERE, WHOLE(0, HOMER_MAX_LISTEN), NULL, "[\"127.0.0.1:7707\"]",
     "HOST:PORT, or an array of them, to take TCP connections on; port 0 picks a free one"},
    {"unix", HOMER_KEY_STRING, FIELD(unix_path), ANY, NULL, "null",
     "path of a Unix-domain socket to take connections on, mode 0600"},
    {"http", HOMER_KEY_LACKING, NOWHERE, ANY, NULL, "null", "this version has no HTTP"},
    {"data_dir", HOMER_KEY_STRING, FIELD(store.dir), ANY, NULL, "null",
     "folder to keep the models in: log and snapshots; made if missing; null keeps nothing on disk"},
    {"durability", HOMER_KEY_WORD, FIELD(store.durability), ANY, durabilities, "\"interval\"",
     "what an acknowledgement means: on disk; on disk within sync_interval_ms; handed to the system at some "
     "time"},
    {"sync_interval_ms", HOMER_KEY_UINT, FIELD(store.sync_interval_ms), WHOLE(1, HOUR_MS), NULL, "1000",
     "milliseconds of learning that a crash of the machine may cost where durability is interval"},
    {"segment_bytes", HOMER_KEY_BYTES, FIELD(store.segment_bytes), WHOLE(64 * KIB, GIB), NULL, "\"64MiB\"",
     "size of a file of the log; two of them are set aside on the disk beforehand"},
    {"snapshot.every_instances", HOMER_KEY_UINT, FIELD(store.snapshot.every_instances), WHOLE(0, INT64_MAX),
     NULL, "1000000", "accepted requests after which a snapshot is taken; 0: not by their number"},
    {"snapshot.every_seconds", HOMER_KEY_UINT, FIELD(store.snapshot.every_seconds), WHOLE(0, 365 * 86400ull),
     NULL, "600", "seconds after which a snapshot is taken, if anything was learned; 0: not by time"},
    {"snapshot.every_bytes", HOMER_KEY_BYTES, FIELD(store.snapshot.every_bytes), WHOLE(0, 1024 * GIB), NULL,
     "\"1GiB\"", "bytes of log after which a snapshot is taken; 0: not by size"},
    {"snapshot.keep", HOMER_KEY_UINT, FIELD(store.snapshot.keep), WHOLE(1, 1000), NULL, "2",
     "newest snapshots that are kept, with the log behind the oldest of them"},
    {"auth_token_file", HOMER_KEY_STRING, FIELD(token_file), ANY, NULL, "null",
     "file with the token that clients have to show, mode 0600; null: everybody who can connect is trusted"},
    {"tls.cert", HOMER_KEY_STRING, FIELD(tls_cert), ANY, NULL, "null",
     "certificate (PEM, with its chain) for the TCP connections; null: they are not encrypted"},
    {"tls.key", HOMER_KEY_STRING, FIELD(tls_key), ANY, NULL, "null",
     "the certificate's private key (PEM, without a passphrase), mode 0600"},
    {"user", HOMER_KEY_STRING, FIELD(user), ANY, NULL, "null",
     "name of the user to become after start, when started as root"},
    {"decode_threads", HOMER_KEY_UINT, FIELD(decode_threads), WHOLE(0, 1), NULL, "1",
     "threads that parse requests ahead while earlier ones are carried out; none on a machine with one core"},

    {"limits.max_line", HOMER_KEY_BYTES, FIELD(request.max_line), WHOLE(KIB, 256 * MIB), NULL, "\"1MiB\"",
     "bytes of one request line; a longer one is skipped with one too_large error"},
    {"limits.max_depth", HOMER_KEY_UINT, FIELD(request.max_depth), WHOLE(3, 64), NULL, "8",
     "nesting of objects and arrays in a request"},
    {"limits.max_name", HOMER_KEY_UINT, FIELD(request.max_name), WHOLE(1, 65535), NULL, "256",
     "bytes of a label, a feature name or a nominal value"},
    {"limits.max_items", HOMER_KEY_UINT, FIELD(request.max_items), WHOLE(1, 1000000), NULL, "1000",
     "requests in one batch"},
    {"limits.max_x", HOMER_KEY_UINT, FIELD(request.max_x), WHOLE(1, 10000000), NULL, "100000",
     "features of one instance"},
    {"limits.max_y", HOMER_KEY_UINT, FIELD(request.max_y), WHOLE(1, 10000000), NULL, "10000",
     "labels of one instance"},
    {"limits.max_connections", HOMER_KEY_UINT, FIELD(conn.max_connections), WHOLE(1, 65536), NULL, "1024",
     "connections at one time; one more gets a too_many error and is closed"},
    {"limits.max_models", HOMER_KEY_UINT, FIELD(max_models), WHOLE(1, 1024), NULL, "16",
     "models at one time"},
    {"limits.high_water", HOMER_KEY_BYTES, FIELD(conn.high_water), WHOLE(4 * KIB, GIB), NULL, "\"1MiB\"",
     "unsent reply bytes of a connection above which no more of its requests are read"},
    {"limits.low_water", HOMER_KEY_BYTES, FIELD(conn.low_water), WHOLE(0, GIB), NULL, "\"256KiB\"",
     "unsent reply bytes below which they are read again; less than high_water"},
    {"limits.max_unanswered", HOMER_KEY_UINT, FIELD(conn.max_unanswered), WHOLE(1, 10000000), NULL, "16384",
     "requests of a connection whose replies have not left, or wait for the log, above which no more are "
     "read"},
    {"limits.turn_lines", HOMER_KEY_UINT, FIELD(conn.turn_lines), WHOLE(1, 100000), NULL, "64",
     "requests that one connection may have answered before the next has its turn"},
    {"limits.round_us", HOMER_KEY_UINT, FIELD(conn.round_us), WHOLE(1, 1000000), NULL, "1000",
     "microseconds in which all connections that sent requests should have had a turn; each has its part of "
     "them, and at least one request, or item of a batch, answered"},
    {"limits.max_reply", HOMER_KEY_BYTES, FIELD(max_reply), WHOLE(64 * KIB, GIB), NULL, "\"64MiB\"",
     "bytes of one batch's reply, after which its further items are refused"},
    {"limits.max_sources", HOMER_KEY_UINT, FIELD(max_sources), WHOLE(1, 10000000), NULL, "10000",
     "different `src` of a model, whose numbers are remembered"},
    {"limits.max_tracked", HOMER_KEY_UINT, FIELD(pending.count), WHOLE(1, 100000000), NULL, "100000",
     "tracked predictions that wait for their labels; the oldest expires when one more comes"},
    {"limits.max_tracked_bytes", HOMER_KEY_BYTES, FIELD(pending.bytes), WHOLE(4 * KIB, 64 * GIB), NULL,
     "\"256MiB\"", "bytes of their instances; the oldest expire when more come"},
    {"limits.tracked_ms", HOMER_KEY_UINT, FIELD(pending.age_ms), WHOLE(1, 10 * 365 * 24 * HOUR_MS), NULL,
     "604800000", "milliseconds for which a tracked prediction may wait for its labels"},
    {"limits.idle_timeout_ms", HOMER_KEY_UINT, FIELD(conn.drain_timeout_ms), WHOLE(10, 24 * HOUR_MS), NULL,
     "60000", "milliseconds for which a client may leave replies unread before it is closed"},
    {"limits.ack_timeout_ms", HOMER_KEY_UINT, FIELD(store.ack_timeout_ms), WHOLE(0, HOUR_MS), NULL, "10000",
     "milliseconds for which a reply waits for a log that cannot be written, before its connection is "
     "closed"},
    {"limits.line_timeout_ms", HOMER_KEY_UINT, FIELD(conn.line_timeout_ms), WHOLE(10, 24 * HOUR_MS), NULL,
     "30000",
     "milliseconds from the first byte of a request line to its last, after which the connection is closed; "
     "also for the handshake of TLS"},
    {"limits.max_idle_ms", HOMER_KEY_UINT, FIELD(conn.max_idle_ms), WHOLE(0, 24 * HOUR_MS), NULL, "0",
     "milliseconds without a request after which a client that owes nothing is closed; 0: never"},
    {"limits.shutdown_ms", HOMER_KEY_UINT, FIELD(shutdown_ms), WHOLE(0, HOUR_MS), NULL, "5000",
     "milliseconds from SIGTERM after which clients that do not read their replies are cut off"},

    {"log.level", HOMER_KEY_WORD, FIELD(log_level), ANY, levels, "\"info\"", "how much is logged"},
    {"log.file", HOMER_KEY_STRING, FIELD(log_file), ANY, NULL, "null",
     "file to append the log to, opened again on SIGHUP; null is standard error"},

    {"model.learner", HOMER_KEY_WORD, FIELD(model.learner), ANY, learners, "\"ihomer\"",
     "the learning algorithm: homerd's own, or iHOMER as published, to compare with"},
    {"model.profile", HOMER_KEY_WORD, FIELD(model.profile), ANY, profiles, "\"fast\"",
     "which experts predict: the linear ones; or also a tree for each cluster of labels; or all there are"},
    {"model.storage", HOMER_KEY_WORD, FIELD(model.storage), ANY, storages, "\"auto\"",
     "how weights are kept: one per label and feature, or lists of those that say something; auto: dense as "
     "long as the two below allow it, and labels come again"},
    {"model.dense_labels", HOMER_KEY_UINT, FIELD(model.dense_labels), WHOLE(1, 10000000), NULL, "1000",
     "labels up to which a model of storage auto is dense"},
    {"model.dense_weights", HOMER_KEY_UINT, FIELD(model.dense_weights), WHOLE(1, INT64_MAX), NULL,
     "100000000", "labels times features up to which it is"},
    {"model.absent", HOMER_KEY_WORD, FIELD(model.absent_missing), ANY, absences, "\"zero\"",
     "what a feature that an instance does not list means: the value 0, or an unknown value"},
    {"model.objective", HOMER_KEY_WORD, FIELD(model.objective), ANY, objectives, "\"example_f1\"",
     "the metric that predicted labelsets are chosen for"},
    {"model.seed", HOMER_KEY_UINT, FIELD(model.seed), WHOLE(0, INT64_MAX), NULL, "1",
     "seed of everything random in a model; the same seed and requests give the same model, bit for bit"},
    {"model.max_memory", HOMER_KEY_BYTES, FIELD(model.max_memory), WHOLE(MIB, 1024 * GIB), NULL, "\"4GiB\"",
     "bytes a model may hold; learning that would pass it is refused with too_many"},
    {"model.max_labels", HOMER_KEY_UINT, FIELD(model.max_labels), WHOLE(1, 10000000), NULL, "10000",
     "distinct labels of a model"},
    {"model.max_features", HOMER_KEY_UINT, FIELD(model.max_features), WHOLE(1, 100000000), NULL, "1000000",
     "distinct features of a model; each nominal value and each word of a text is one"},
    {"model.window", HOMER_KEY_UINT, FIELD(model.window), WHOLE(1, 10000000), NULL, "1000",
     "instances in the sliding window of the metrics"},
    {"model.text.bigrams", HOMER_KEY_BOOL, FIELD(model.text_bigrams), ANY, NULL, "false",
     "whether neighbouring words of a text are features too"},

    {"model.hierarchy.fading", HOMER_KEY_REAL, HIERARCHY(lambda), REAL(0.9, 0.999999), NULL, "0.9998",
     "what a count is worth after one more instance: the memory of the hierarchy is 1/(1 - fading) "
     "instances"},
    {"model.hierarchy.neighbours", HOMER_KEY_UINT, HIERARCHY(neighbours), WHOLE(1, 4096), NULL, "64",
     "co-occurring labels that are counted for each label"},
    {"model.hierarchy.delta", HOMER_KEY_REAL, HIERARCHY(delta), REAL(1e-10, 0.5), NULL, "0.05",
     "clusters whose labels never co-occurred may join if chance would do that as often as this"},
    {"model.hierarchy.max_leaf", HOMER_KEY_UINT, HIERARCHY(max_leaf), WHOLE(2, 10000), NULL, "16",
     "labels that a cluster may have"},
    {"model.hierarchy.effect", HOMER_KEY_REAL, HIERARCHY(effect), REAL(0, 1), NULL, "0.0",
     "clusters that co-occur less often than chance, by more than this share of it, are kept apart; more "
     "makes clusters larger"},
    {"model.hierarchy.replace", HOMER_KEY_REAL, HIERARCHY(replace), REAL(0, 1), NULL, "0.0",
     "clusters change when that raises their quality by more than this; more changes them less often"},
    {"model.hierarchy.drift_delta", HOMER_KEY_REAL, HIERARCHY(drift_delta), REAL(1e-10, 0.5), NULL, "0.002",
     "delta of the ADWIN detectors that watch the cuts; smaller detects less"},

    {"model.tree.trees", HOMER_KEY_UINT, TREE(trees), WHOLE(0, HOMER_FOREST_MAX), NULL, "0",
     "trees of each cluster, averaged, each on weights and features of its own; 0: as the profile has"},
    {"model.tree.grace", HOMER_KEY_REAL, TREE(grace), REAL(1, 1000000), NULL, "100",
     "weight of the instances between attempts to split a leaf of a tree"},
    {"model.tree.delta", HOMER_KEY_REAL, TREE(split.delta), REAL(1e-30, 0.5), NULL, "1e-05",
     "chance of error of the Hoeffding bound"},
    {"model.tree.range", HOMER_KEY_REAL, TREE(split.range), REAL(0.001, 1000), NULL, "0.3",
     "range of the gain in the Hoeffding bound, in nats summed over the labels"},
    {"model.tree.level", HOMER_KEY_REAL, TREE(split.level), REAL(1e-30, 0.5), NULL, "0.001",
     "chance that the chi-square test splits on noise"},
    {"model.tree.max_depth", HOMER_KEY_UINT, TREE(max_depth), WHOLE(0, 64), NULL, "14",
     "depth of a leaf that is never split; 0 leaves every tree its root"},
    {"model.tree.alternate", HOMER_KEY_BOOL, TREE(alternate), ANY, NULL, "false",
     "whether a fresh subtree is tried where the loss of a tree's subtree rises"},
    {"model.tree.max_memory", HOMER_KEY_BYTES, CLUSTERS(tree_bytes), WHOLE(0, 1024 * GIB), NULL, "\"1GiB\"",
     "bytes of a model's trees above which their least promising leaves stop observing; 0: no bound"},

    {"model.drift.delta", HOMER_KEY_REAL, CLUSTERS(drift_delta), REAL(1e-10, 0.5), NULL, "0.002",
     "delta of the ADWIN detectors that watch the losses; smaller detects less"},
    {"model.drift.scope", HOMER_KEY_WORD, CLUSTERS(scope), ANY, scopes, "\"both\"",
     "which of them make the linear experts learn anew: a cluster's for its labels, the global one for all"},
};
/* clang-format on */

const size_t homer_config_keys_n = sizeof homer_config_keys / sizeof *homer_config_keys;

_Static_assert(HOMER_DURABILITY_ALWAYS == 0 && HOMER_DURABILITY_NONE == 2, "the order of the promises");
_Static_assert(sizeof levels / sizeof *levels == HOMER_LOG_LEVELS + 1, "a word per log level");
_Static_assert(sizeof learners / sizeof *learners == HOMER_LEARNERS + 1, "a word per learner");
_Static_assert(sizeof objectives / sizeof *objectives == HOMER_OBJECTIVE_COUNT + 1, "a word per objective");
_Static_assert(HOMER_DRIFT_OFF == 0 && HOMER_DRIFT_CLUSTER == 1 && HOMER_DRIFT_GLOBAL == 2 &&
                   HOMER_DRIFT_BOTH == 3,
               "the order of the scopes");
