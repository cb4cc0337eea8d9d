"""Random sequences of requests, answered by the daemon and by a simple model of it: the same replies, in the same order, from several
connections, through restarts and kills. What the learner predicts is not modelled; that it is the one that was never interrupted is."""
import json
import random

import harness
from kills import options

LIMITS = {"durability": "always", "segment_bytes": "64KiB", "limits.max_line": "8KiB", "limits.max_models": 5, "limits.max_items": 5, "limits.max_tracked": 5,
          "limits.max_sources": 4, "model.profile": "linear"}
SHARED = ("default", "one", "two")
MALFORMED = [("{", "bad_json"), ('{"op":"ping",}', "bad_json"), ('{"op":"fly"}', "unknown_op"), ("fly", "unknown_op"), ('{"op":"learn"}', "bad_request"),
             ('{"op":"ping","colour":1}', "bad_request"), ('{"x":{"f":1e300},"y":["p"]}', "bad_feature"), ('{"x":{"f":1},"y":[7]}', "bad_label"),
             ('{"x":{"f":1},"y":["p"],"src":"s"}', "bad_request"), ('{"op":"predict","x":{},"track":true}', "bad_request"),
             ('{"x":{"f":1,"f":2},"y":["p"]}', "bad_json"), ('{"op":"predict","x":{},"k":0}', "bad_request"), ("[" * 30, "bad_json"),
             ('{"op":"ping","id":' + "[" * 30 + "]" * 30 + "}", "too_deep"), ('{"text":"' + "a" * 9000 + '","y":[]}', "too_large"),
             ('{"op":"batch","items":[' + ",".join(["{}"] * 6) + "]}", "too_many")]


class Model:
    def __init__(self):
        self.seq, self.sources = 0, {}  # src -> (highest n, its seq)


class Reference:
    """What the daemon has to answer. A reply is a dict of the fields it must have; None stands for any value."""

    def __init__(self):
        self.models, self.tracked = {"default": Model()}, {}  # tracked: (model, id) in order of arrival, as dict keys

    def answer(self, request):
        """The reply; None when there is none."""
        op = request.get("op") or ("learn" if "y" in request else "predict")
        name = request.get("model", "default")
        reply = getattr(self, op.replace(".", "_"))(request, name)
        if reply is None or "code" in reply:
            return reply and self.named({"ok": False, "error": reply["code"]}, request)
        return self.named({"ok": True, **reply}, request)

    @staticmethod
    def named(reply, request):
        return {**reply, "id": request["id"]} if "id" in request else reply

    def learn(self, request, name, **more):
        if name not in self.models:
            return {"code": "unknown_model"}
        model, src = self.models[name], request.get("src")
        if src is not None and request["n"] <= model.sources.get(src, (-1, 0))[0]:
            return None if request.get("noreply") else {"dup": True, "seq": model.sources[src][1], "durable": "always"}
        key = (name, json.dumps(request["ref"])) if request.get("op") == "label" else None
        if key and key not in self.tracked:
            return {"code": "unknown_ref"}
        if src is not None and src not in model.sources and len(model.sources) == LIMITS["limits.max_sources"]:
            return {"code": "too_many"}
        self.tracked.pop(key, None)
        model.seq += 1
        if src is not None:
            model.sources[src] = (request["n"], model.seq)
        return None if request.get("noreply") else {"seq": model.seq, "durable": "always", **more}

    label = learn

    def test(self, request, name):
        reply = self.learn(request, name, labels=None)
        return reply if "code" in reply or "dup" in reply or request.get("scores") is False else {**reply, "scores": None}

    def predict(self, request, name):
        if name not in self.models:
            return {"code": "unknown_model"}
        reply = {"labels": None} if request.get("scores") is False else {"labels": None, "scores": None}
        if not request.get("track"):
            return reply
        key = name, json.dumps(request["id"])
        self.tracked.pop(key, None)
        self.tracked[key] = True
        while len(self.tracked) > LIMITS["limits.max_tracked"]:
            del self.tracked[next(iter(self.tracked))]
        return {**reply, "durable": "always"}

    def batch(self, request, name):
        return {"replies": [reply for reply in (self.answer({"model": name, **item}) for item in request["items"]) if reply]}

    def ping(self, request, name):
        return {"pong": True}

    def digest(self, request, name):
        return {"digest": None, "seq": self.models[name].seq} if name in self.models else {"code": "unknown_model"}

    def model_create(self, request, name):
        if request["name"] in self.models:
            return {"code": "model_exists"}
        if len(self.models) == LIMITS["limits.max_models"]:
            return {"code": "too_many"}
        self.models[request["name"]] = Model()
        return {"name": request["name"], "durable": "always"}

    def model_drop(self, request, name):
        if not self.models.pop(request["name"], None):
            return {"code": "unknown_model"}
        self.tracked = {key: True for key in self.tracked if key[0] != request["name"]}
        return {"name": request["name"], "durable": "always"}

    def model_list(self, request, name):
        return {"models": [{"name": name, "seq": model.seq} for name, model in self.models.items()]}


def same(expected, got):
    """Whether a reply is the expected one: the same fields, and the same values where they are known."""
    if isinstance(expected, list):
        return isinstance(got, list) and len(expected) == len(got) and all(map(same, expected, got))
    if not isinstance(expected, dict):
        return expected is None or expected == got
    if expected.get("ok") is False:
        got = {**got, "error": got.get("error", {}).get("code")}
    if set(expected) == {"name", "seq"}:  # of a listing: has more
        got = {key: got[key] for key in expected}
    return isinstance(got, dict) and set(expected) == set(got) and all(same(value, got[key]) for key, value in expected.items())


class Sequence:
    def __init__(self, folder, seed):
        self.folder, self.random, self.reference = folder, random.Random(seed), Reference()
        self.history, self.steps, self.restarts = [], 0, 0
        self.counter = {}

    def request(self, models):
        """A request that the model of the daemon can answer, on one of these models."""
        r = self.random
        x = {f"f{r.randrange(6)}": r.randrange(9) for _ in range(3)}
        y = [f"l{i}" for i in range(4) if r.random() < 0.4]
        made = {"model": r.choice(models)} if models != ("default",) or r.random() < 0.5 else {}
        op = r.choice(("learn", "learn", "learn", "test", "predict", "track", "track", "label", "label", "ping", "digest", "create", "drop", "list"))
        if r.random() < 0.4:
            made["id"] = r.choice((r.randrange(8), f"a{r.randrange(3)}", "é\"\\"))
        if op in ("learn", "test", "label") and r.random() < 0.5:
            made["src"], made["n"] = f"s{r.randrange(5)}", r.randrange(40) + self.steps // 20
        if op in ("learn", "label") and r.random() < 0.2:
            made["noreply"] = True
        if op in ("test", "predict", "track") and r.random() < 0.5:
            made["scores"] = False
        if op == "learn":
            return {**made, "x": x, "y": y}
        if op == "test":
            return {**made, "op": "test", "x": x, "y": y}
        if op == "predict":
            return {**made, "x": x}
        if op == "track" and models != SHARED:  # which one expires when the table is full depends on the order between connections
            return {**made, "x": x}
        if op == "track":
            return {**made, "op": "predict", "x": x, "track": True, "id": r.randrange(6)}
        if op == "label":
            return {**made, "op": "label", "ref": r.randrange(6), "y": y}
        if op in ("create", "drop") and models == SHARED:
            return {"op": f"model.{op}", "name": r.choice(SHARED)}
        return {**made, "op": "model.list" if op == "list" and models == SHARED else "digest" if op == "digest" else "ping"}

    def line(self, models):
        """A line and the reply that it must get (None: none)."""
        r = self.random
        if r.random() < 0.08:
            line, code = r.choice(MALFORMED)
            return line, {"ok": False, "error": code}
        request = self.request(models)
        if r.random() < 0.1:
            request = {"op": "batch", "items": [request, *(self.request(models) for _ in range(r.randrange(3)))], "id": "b"}
            if r.random() < 0.3:
                request["model"] = r.choice(models)
        line = json.dumps(request, ensure_ascii=r.random() < 0.5)
        self.history.append(line)
        return r.choice(("", "", "\n", " ")) + line + r.choice(("", "", "\r")), self.reference.answer(request)

    def burst(self, client, models, more):
        lines = [self.line(models) for _ in range(self.random.randrange(1, 40))] + [('{"op":"ping","id":"end"}', {"ok": True, "id": "end", "pong": True})]
        client.send("".join(line + "\n" for line, _ in lines))
        more.append((client, [(line, expected) for line, expected in lines if expected]))
        self.steps += len(lines)

    def check(self, waiting):
        for client, lines in waiting:
            for line, expected in lines:
                got = client.reply()
                if expected.get("ok") is False and "id" not in expected:
                    got.pop("id", None)  # of a line that could be read in part
                assert same(expected, got), f"{line}\n must get {expected}\n got {got}"

    def life(self, daemon, bursts):
        """All on shared models, one connection at a time; or each on a model of its own, all at once."""
        clients = [daemon.connect() for _ in range(3)]
        for _ in range(bursts):
            waiting = []
            if self.random.random() < 0.5:
                self.burst(self.random.choice(clients), SHARED, waiting)
            else:
                for i, client in enumerate(clients):
                    self.burst(client, (f"own{i}",), waiting)
            self.check(waiting)
        for client in clients:
            client.socket.close()

    def digests(self, daemon):
        return {name: daemon.digest(name) for name in self.reference.models}

    def run(self, lives, bursts=12, progress=lambda done: None):
        before = None
        for i in range(lives):
            with harness.Daemon("--data-dir", self.folder, *options(LIMITS)) as daemon:
                if i == 0:
                    for name in ("own0", "own1", "own2"):
                        self.history.append(json.dumps({"op": "model.create", "name": name}))
                        assert same(self.reference.answer(json.loads(self.history[-1])), daemon.ask(self.history[-1]))
                assert before in (None, self.digests(daemon)), "another state after a restart"
                self.life(daemon, bursts)
                before = self.digests(daemon)
                if self.random.random() < 0.5:
                    daemon.kill()
            progress(i + 1)
        with harness.Daemon(*options({key: value for key, value in LIMITS.items() if key not in ("durability", "segment_bytes")})) as daemon:
            harness.feed(daemon.address, "".join(line + "\n" for line in self.history).encode(), [1 << 16])
            assert self.digests(daemon) == before, "another model than that of one life"
        return {"requests": self.steps, "lives": lives, "instances": sum(model.seq for model in self.reference.models.values())}
