/* Configuration: any bytes as a file, as an assignment of --set, as the model{} of model.create. What is
 * refused is refused with words and leaves what there was; what is taken prints as JSON that reads back to
 * the same. The first byte chooses the way. */
#include <jansson.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "daemon/config.h"
#include "fuzz.h"

static unsigned problems;

static void on_problem(const struct homer_error *e) {
    CHECK(e->code && e->message[0]);
    problems++;
}

/* A file of these bytes, without a name: its path. */
static const char *as_file(const uint8_t *data, size_t n) {
    static int fd = -1;
    static char path[64];
    if (fd < 0) {
        fd = memfd_create("config", MFD_CLOEXEC);
        CHECK(fd >= 0);
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    }
    CHECK(ftruncate(fd, 0) == 0 && pwrite(fd, data, n, 0) == (ssize_t)n);
    return path;
}

static void print(const struct homer_config *c, struct homer_buf *out) {
    homer_config_print(c, out);
    CHECK(!out->failed);
}

static void read_back(const struct homer_config *c) {
    struct homer_config again;
    struct homer_error err = {0};
    struct homer_mem mem = {0};
    struct homer_buf one, two;
    homer_buf_init(&one, &mem);
    homer_buf_init(&two, &mem);
    print(c, &one);
    CHECK(homer_config_init(&again) == 0);
    CHECK(homer_config_load(&again, as_file((const uint8_t *)one.data, one.n), &err) == 0);
    print(&again, &two);
    CHECK(one.n == two.n && memcmp(one.data, two.data, one.n) == 0);
    homer_config_deinit(&again);
    homer_buf_deinit(&one);
    homer_buf_deinit(&two);
    CHECK(mem.used_bytes == 0);
}

static void try_model(const uint8_t *data, size_t n) {
    struct homer_model_config before, m;
    struct homer_error err = {0};
    homer_model_config_default(&before);
    m = before;
    int code = homer_config_model(&m, (struct homer_str){(const char *)data, n}, &err);
    CHECK(code == err.code);
    CHECK(code == 0 || (err.message[0] && memcmp(&m, &before, sizeof m) == 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    struct homer_config c;
    struct homer_error err = {0};
    char assignment[4096];
    int code;
    if (n == 0) return 0;
    CHECK(homer_config_init(&c) == 0);
    problems = 0;
    c.on_problem = on_problem;
    switch (data[0] % 3) {
    case 0:
        code = homer_config_load(&c, as_file(data + 1, n - 1), &err);
        CHECK(!code == !problems && code == err.code);
        break;
    case 1:
        snprintf(assignment, sizeof assignment, "%.*s", (int)(n - 1), (const char *)data + 1);
        code = homer_config_set(&c, assignment, &err);
        CHECK(!code == !problems && code == err.code);
        break;
    default:
        try_model(data + 1, n - 1);
    }
    read_back(&c);
    homer_config_deinit(&c);
    return 0;
}
