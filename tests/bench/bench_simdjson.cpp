#include <simdjson.h>
#include <string_view>
#include <vector>
#include "bench_decode.h"

using namespace simdjson;

namespace {
struct value {
    std::string_view name, string;
    double number;
    int type;
};
} // namespace

struct bench_simdjson {
    ondemand::parser parser;
    std::vector<char> line; /* padded, as simdjson needs it; the strings point into the parser's buffer */
    std::vector<value> x;
    std::vector<std::string_view> y;
    std::string_view op, text;
};

static void read_x_value(bench_simdjson *b, std::string_view name, ondemand::value v) {
    value out{name, {}, 0, 0};
    switch (v.type()) {
    case ondemand::json_type::number:
        out.number = v.get_double();
        break;
    case ondemand::json_type::string:
        out.type = 2;
        out.string = v.get_string();
        break;
    case ondemand::json_type::boolean:
        out.type = 1;
        out.number = v.get_bool();
        break;
    case ondemand::json_type::array:
        for (auto item : v.get_array()) b->x.push_back({name, item.get_string(), 0, 3});
        return;
    default:
        out.type = 4;
    }
    b->x.push_back(out);
}

static void read_x(bench_simdjson *b, ondemand::value v) {
    if (v.type() == ondemand::json_type::object) {
        for (auto field : v.get_object()) read_x_value(b, field.unescaped_key(), field.value());
    } else {
        for (auto item : v.get_array()) read_x_value(b, {}, item.value());
    }
}

static void read_y(bench_simdjson *b, ondemand::value v) {
    if (v.type() == ondemand::json_type::object) {
        for (auto field : v.get_object()) b->y.push_back(field.unescaped_key());
    } else {
        for (auto item : v.get_array()) b->y.push_back(item.get_string());
    }
}

extern "C" {

bench_simdjson *bench_simdjson_new(void) {
    return new bench_simdjson;
}

void bench_simdjson_free(bench_simdjson *b) {
    delete b;
}

bool bench_simdjson_read(bench_simdjson *b, const char *line, size_t n) {
    try {
        b->x.clear();
        b->y.clear();
        b->line.resize(n + SIMDJSON_PADDING);
        memcpy(b->line.data(), line, n);
        ondemand::document doc = b->parser.iterate(b->line.data(), n, b->line.size());
        for (auto field : doc.get_object()) {
            std::string_view name = field.unescaped_key();
            if (name == "x")
                read_x(b, field.value());
            else if (name == "y")
                read_y(b, field.value());
            else if (name == "text")
                b->text = field.value().get_string();
            else if (name == "op")
                b->op = field.value().get_string();
        }
        return true;
    } catch (const simdjson_error &) {
        return false;
    }
}
}
