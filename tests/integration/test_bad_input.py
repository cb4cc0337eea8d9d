"""Bad input gets its error code and a message; the connection lives on; the model is unchanged."""
import json

import pytest

import harness

DEEP = '{"op":"ping","id":' + "[" * 50 + "]" * 50 + "}"

# (request line, the error code it must get)
BAD = [
    # not JSON
    ("{", "bad_json"), ("{}x", "bad_json"), ('{"op":"ping"', "bad_json"), ('{"op":ping}', "bad_json"), ("{'op':'ping'}", "bad_json"),
    ('{"op":"ping",}', "bad_json"), ('{"op":"ping"} {"op":"ping"}', "bad_json"), ('{"x":{"a":01},"y":[]}', "bad_json"),
    ('{"op":"ping","id":"\\q"}', "bad_json"), ('{"op":"ping","id":"a\tb"}', "bad_json"), ('{"op":"ping","id":"\\ud800"}', "bad_json"),
    # numbers that no instance can hold
    ('{"x":{"a":NaN},"y":["p"]}', "bad_json"), ('{"x":{"a":Infinity},"y":["p"]}', "bad_json"), ('{"x":{"a":-Infinity},"y":["p"]}', "bad_json"),
    ('{"x":{"a":1e999},"y":["p"]}', ("bad_json", "bad_feature")), ('{"x":{"a":-1e999},"y":["p"]}', ("bad_json", "bad_feature")),
    ('{"x":{"a":1e300},"y":["p"]}', "bad_feature"), ('{"x":[1,1e999],"y":["p"]}', ("bad_json", "bad_feature")),
    # duplicate keys, at every level
    ('{"op":"ping","op":"ping"}', "bad_json"), ('{"x":{"a":1,"a":2},"y":["p"]}', "bad_json"), ('{"x":{"a":1},"y":{"p":true,"p":false}}', "bad_json"),
    ('{"x":{"a":1,"\\u0061":2},"y":["p"]}', "bad_json"),
    # bytes that are not UTF-8, NUL
    (b'{"op":"ping","id":"\xff"}', "bad_json"), (b'{"x":{"\xc3":1},"y":["p"]}', "bad_json"), (b'{"x":{"a":1},"y":["\xed\xa0\x80"]}', "bad_json"),
    (b'{"op":"ping","id":"\xc0\xaf"}', "bad_json"), (b'{"op":"ping"\x00}', "bad_json"), (b'{"op":"ping"}\x00', "bad_json"),
    ('{"op":"ping","id":"a\\u0000b"}', ("bad_json", "bad_request")), ('{"x":{"a\\u0000b":1},"y":["p"]}', ("bad_json", "bad_feature")),
    (b'{"text":"a\xffb","y":["p"]}', "bad_json"),
    # nesting
    (DEEP, "too_deep"), ('{"x":{"a":' + "[" * 20 + "]" * 20 + '},"y":[]}', "too_deep"), ("{" + '"a":{' * 3000, "too_deep"),
    # operations
    ('{"op":"fly"}', "unknown_op"), ('{"op":"PING"}', "unknown_op"), ('{"op":""}', "unknown_op"), ('{"op":1}', "bad_request"),
    ('{"op":null}', "bad_request"), ("fly", "unknown_op"),
    *[('{"op":"%s"}' % op, "unknown_op") for op in ("subscribe", "slowlog")],
    ('{"op":"label","y":["p"]}', "bad_request"), ('{"op":"label","ref":1}', "bad_request"), ('{"op":"label","ref":1,"y":["p"]}', "unknown_ref"),
    ('{"op":"snapshot"}', "bad_request"),
    # fields
    ('{"op":"learn"}', "bad_request"), ('{"op":"learn","x":{"a":1}}', "bad_request"), ('{"op":"learn","y":["p"]}', "bad_request"),
    ('{"op":"predict"}', "bad_request"), ('{"op":"test","x":{"a":1}}', "bad_request"), ('{"op":"learn","x":3,"y":["p"]}', "bad_request"),
    ('{"op":"learn","x":"a","y":["p"]}', "bad_request"), ('{"op":"learn","x":{"a":1},"y":"p"}', "bad_request"),
    ('{"op":"learn","text":5,"y":["p"]}', "bad_request"), ('{"op":"learn","x":{"a":1},"y":["p"],"w":0}', "bad_request"),
    ('{"op":"learn","x":{"a":1},"y":["p"],"w":-1}', "bad_request"), ('{"op":"learn","x":{"a":1},"y":["p"],"w":"1"}', "bad_request"),
    ('{"op":"learn","x":{"a":1},"y":["p"],"noreply":1}', "bad_request"), ('{"op":"learn","x":{"a":1},"y":["p"],"colour":1}', "bad_request"),
    ('{"op":"ping","colour":1}', "bad_request"), ('{"op":"predict","x":{},"k":0}', "bad_request"), ('{"op":"predict","x":{},"k":1.5}', "bad_request"),
    ('{"op":"predict","x":{},"k":-1}', "bad_request"), ('{"op":"predict","x":{},"threshold":2}', "bad_request"),
    ('{"op":"predict","x":{},"threshold":"a"}', "bad_request"), ('{"op":"predict","x":{},"objective":"luck"}', "bad_request"),
    ('{"op":"predict","x":{},"scores":"top:0"}', "bad_request"), ('{"op":"predict","x":{},"scores":"top:x"}', "bad_request"),
    ('{"op":"predict","x":{},"scores":3}', "bad_request"), ('{"op":"predict","x":{},"model":7}', "bad_request"),
    ('{"op":"predict","x":{},"model":"nobody"}', "unknown_model"), ('{"op":"labels","limit":"x"}', "bad_request"),
    ('{"op":"model.create"}', "bad_request"), ('{"op":"model.create","name":"a b"}', "bad_request"),
    ('{"op":"model.create","name":"' + "n" * 65 + '"}', "bad_request"), ('{"op":"model.create","name":"m","config":{"colour":1}}', "bad_request"),
    ('{"op":"model.create","name":"m","config":{"seed":"x"}}', "bad_request"), ('{"op":"model.create","name":"default"}', "model_exists"),
    ('{"op":"model.drop","name":"nobody"}', "unknown_model"), ('{"op":"batch"}', "bad_request"), ('{"op":"batch","items":{}}', "bad_request"),
    # features and labels
    ('{"x":{"":1},"y":["p"]}', "bad_feature"), ('{"x":{"' + "f" * 257 + '":1},"y":["p"]}', "bad_feature"),
    ('{"x":{"a":{"b":1}},"y":["p"]}', "bad_feature"), ('{"x":{"a":[1,2]},"y":["p"]}', "bad_feature"), ('{"x":{"a":""},"y":["p"]}', "bad_feature"),
    ('{"x":[1,[2]],"y":["p"]}', "bad_feature"), ('{"x":{"known":"text"},"y":["p"]}', "bad_feature"), ('{"x":{"word":1},"y":["p"]}', "bad_feature"),
    ('{"x":{"a":1},"y":[""]}', "bad_label"), ('{"x":{"a":1},"y":[1]}', "bad_label"), ('{"x":{"a":1},"y":[["p"]]}', "bad_label"),
    ('{"x":{"a":1},"y":["' + "l" * 257 + '"]}', "bad_label"),
    ('{"x":{"a":1},"y":{"p":1}}', "bad_label"), ('{"x":{"a":1},"y":{"":true}}', "bad_label"),
]


@pytest.fixture(scope="module")
def taught():
    """A daemon that knows something; every test here must leave it as it was."""
    with harness.Daemon() as daemon:
        with daemon.connect() as client:
            for i in range(50):
                client.ok({"x": {"known": i % 7, "other": 1, "word": "abc"[i % 3]}, "y": ["p"] if i % 2 else ["q", "r"]})
        before = daemon.digest()
        yield daemon
        assert daemon.digest() == before


def as_bytes(line):
    return line if isinstance(line, bytes) else line.encode()


@pytest.mark.parametrize("line,code", BAD, ids=[f"{i}-{ascii(line)[:50]}" for i, (line, _) in enumerate(BAD)])
def test_code_message_and_an_unchanged_model(taught, line, code):
    before = taught.digest()
    with taught.connect() as client:
        error = client.error(as_bytes(line) + b"\n")
        assert error["code"] in ((code,) if isinstance(code, str) else code), error
        assert 0 < len(error["message"]) <= 256 and isinstance(error["retry"], bool)
        assert client.ok("ping"), "the connection lives on"
    assert taught.digest() == before


def test_all_bad_lines_on_one_connection(taught):
    with taught.connect() as client:
        client.send(b"".join(as_bytes(line) + b"\n" for line, _ in BAD))
        replies = client.replies(len(BAD))
        assert not any(reply["ok"] for reply in replies)
        assert client.ok("ping")


def test_a_message_does_not_echo_the_payload(taught):
    secret = "s" * 200
    for line in ('{"op":"%s"}' % secret, '{"op":"ping","%s":1}' % secret, '{"x":{"known":"%s"},"y":["p"]}' % secret, "{" + secret):
        reply = taught.ask(line)
        assert not reply["ok"] and secret not in json.dumps(reply)


def test_a_huge_line_costs_one_error(taught):
    with taught.connect() as client:
        client.send(b'{"op":"ping","id":1}\n')
        client.send(b'{"text":"' + b"word " * 600_000 + b'","y":["p"]}\n')
        client.send(b'{"op":"ping","id":2}\n')
        first, huge, last = client.replies(3)
        assert (first["id"], last["id"]) == (1, 2)
        assert huge["error"]["code"] == "too_large" and huge["error"]["limit"] == "max_line"


def test_a_huge_line_without_an_end(taught):
    with taught.connect() as client:
        client.send(b"x" * 3_000_000)
        client.half_close()
        replies = client.rest()
        assert [reply["error"]["code"] for reply in replies] == ["too_large"]


def test_max_line_is_exact():
    with harness.Daemon("--set", "limits.max_line=4096") as daemon, daemon.connect() as client:
        head, tail = '{"op":"ping","id":"', '"}'
        fits = head + "i" * (4096 - len(head) - len(tail)) + tail
        assert client.ask(fits)["ok"]
        assert client.ask(fits + "\r")["ok"], "the carriage return is part of the line end"
        assert client.error(fits[:-2] + "i" + tail)["code"] == "too_large"


def test_limits_name_themselves():
    settings = ["model.max_labels=3", "model.max_features=5", "limits.max_items=2", "limits.max_x=4", "limits.max_y=2"]
    with harness.Daemon(*[part for setting in settings for part in ("--set", setting)]) as daemon, daemon.connect() as client:
        client.ok({"x": {"a": 1, "b": 1, "c": 1}, "y": ["p", "q"]})
        before = daemon.digest()
        for request, limit in (({"x": {"a": 1}, "y": ["r", "s"]}, "max_labels"), ({"x": {"d": 1, "e": 1, "f": 1}, "y": []}, "max_features"),
                               ({"op": "batch", "items": [{"op": "ping"}] * 3}, "max_items"),
                               ({"x": {str(i): 1 for i in range(5)}, "y": []}, "max_x"), ({"x": {}, "y": ["p", "q", "r"]}, "max_y")):
            error = client.error(request)
            assert error["code"] == "too_many" and error["limit"].endswith(limit), error
        assert daemon.digest() == before, "names of refused requests are not kept"
        client.ok({"x": {"d": 1, "e": 1}, "y": ["r"]})


def test_memory_cap_refuses_and_keeps_serving():
    with harness.Daemon("--set", "model.max_memory=2000000") as daemon, daemon.connect() as client:
        refused = learned = 0
        for i in range(3000):
            reply = client.ask({"x": {f"f{i}-{j}": 1 for j in range(5)}, "y": [f"l{i % 200}"]})
            if reply["ok"]:
                learned += 1
                continue
            refused += 1
            assert reply["error"]["code"] == "too_many" and reply["error"]["limit"].endswith("max_memory")
            if refused == 1:
                before = daemon.digest()
        assert learned and refused
        assert client.ok({"op": "predict", "x": {"f0-0": 1}})
        assert daemon.digest()[1] == learned
        if refused == 3000 - learned and before[1] == learned:
            assert daemon.digest() == before


def test_predicting_the_unknown_interns_nothing(taught):
    with taught.connect() as client:
        before = client.ok("digest")
        reply = client.ok({"op": "predict", "x": {"never": 3, "known": 2, "word": "new"}, "text": "unheard words"})
        assert set(reply["labels"]) <= {"p", "q", "r"}
        assert {k: before[k] for k in ("digest", "seq")} == {k: client.ok("digest")[k] for k in ("digest", "seq")}
