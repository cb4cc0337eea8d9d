"""What a data folder keeps: restarts, crashes, snapshots, exactly-once learning, delayed labels, a full disk."""
import json
import resource
import shutil
import subprocess

import pytest

import harness
import streams

ROWS = [json.loads(row) for row in streams.as_lines(streams.recorded("emotions", 200)).splitlines()]


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "data"


def start(folder, *more, **settings):
    """homerd on that data folder; settings as `durability="always"`, `model_objective="subset"`."""
    options = ["--data-dir", folder]
    for key, value in settings.items():
        for group in ("model_", "snapshot_", "limits_"):
            if key.startswith(group):
                key = group[:-1] + "." + key[len(group):]
        options += ["--set", f"{key}={value}"]
    return harness.Daemon(*options, *more)


def learn(client, rows, **extra):
    for row in rows:
        client.send({"op": "learn", **row, **extra})
    return [reply["seq"] for reply in client.replies(len(rows))]


def digest_of(rows):
    """Of a daemon that was never interrupted."""
    with harness.Daemon() as daemon, daemon.connect() as client:
        learn(client, rows)
        return daemon.digest()


def refused(folder, *options):
    done = harness.run_homerd("--data-dir", folder, "--listen", "127.0.0.1:0", *options)
    assert done.returncode == 1, done
    return done.err


@pytest.mark.parametrize("durability", ["always", "interval", "none"])
def test_a_stop_and_a_start_change_nothing(folder, durability):
    with start(folder, durability=durability) as daemon, daemon.connect() as client:
        assert client.ok({"x": {"a": 1}, "y": ["p"]})["durable"] == durability
        learn(client, ROWS[:100])
        before, stats = daemon.digest(), client.ok("stats")
        assert stats["durability"] == client.ok("hello")["durability"] == durability
    with start(folder, durability=durability) as daemon, daemon.connect() as client:
        assert daemon.digest() == before
        assert client.ok("stats")["metrics"] == stats["metrics"]
        assert learn(client, ROWS[100:])[0] == 102
        last = daemon.digest()
    assert last == digest_of([{"x": {"a": 1}, "y": ["p"]}, *ROWS])


def test_a_killed_daemon_has_everything_that_it_acknowledged(folder):
    with start(folder, durability="always") as daemon, daemon.connect() as client:
        learn(client, ROWS[:150])
        daemon.kill()
        shutil.copytree(folder, folder.with_name("copy"))
    with start(folder, durability="always") as daemon:
        assert daemon.digest() == digest_of(ROWS[:150])
    with start(folder.with_name("copy")) as daemon, daemon.connect() as client:  # whatever the durability is then
        learn(client, ROWS[150:])
        assert daemon.digest() == digest_of(ROWS)


def test_a_snapshot_tells_its_digest_and_makes_the_log_before_it_superfluous(folder):
    with start(folder, durability="always", segment_bytes="64KiB", snapshot_keep=1) as daemon, daemon.connect() as client:
        learn(client, ROWS[:100])
        taken = client.ok({"op": "snapshot", "id": 9})
        assert (taken["digest"], taken["seq"], taken["id"]) == (*daemon.digest(), 9)
        learn(client, ROWS[100:150])
        assert client.ok("stats")["snapshots"]["taken"] == 1
        daemon.kill()
    assert len(list(folder.glob("snapshot-*"))) == 1
    with start(folder) as daemon:
        assert daemon.digest() == digest_of(ROWS[:150])
        assert "records=50" in daemon.stderr()


def test_snapshots_follow_each_other_at_once(folder):
    with start(folder, durability="always") as daemon, daemon.connect() as one, daemon.connect() as two:
        for row in ROWS[:20]:
            one.ok({"op": "learn", **row})
            for client in (one, two):
                client.send({"op": "snapshot"})
            for client in (one, two):
                assert client.reply()["ok"]
        assert one.ok("stats")["snapshots"]["failed"] == 0


def test_snapshots_come_by_number_and_two_are_kept(folder):
    with start(folder, durability="always", segment_bytes="64KiB", snapshot_every_instances=20) as daemon, daemon.connect() as client:
        while client.ok("stats")["snapshots"]["taken"] < 3:
            learn(client, ROWS[:50])
        count = client.ok("stats")["seq"]
        daemon.kill()
    names = sorted(folder.glob("snapshot-*"))
    assert 2 <= len(names) <= 3  # the oldest of three may not be gone yet
    expected = digest_of([ROWS[i % 50] for i in range(count)])
    damaged = folder.with_name("damaged")
    shutil.copytree(folder, damaged)
    with start(folder) as daemon:
        assert daemon.digest() == expected
    content = bytearray((damaged / names[-1].name).read_bytes())
    content[len(content) // 2] ^= 1
    (damaged / names[-1].name).write_bytes(content)
    with start(damaged) as daemon:  # the one before, and the log behind it
        assert daemon.digest() == expected
        assert "snapshot_damaged" in daemon.stderr()


def test_a_repeat_is_learned_once_across_a_crash(folder):
    with start(folder, durability="always") as daemon, daemon.connect() as client:
        for n in (1, 2, 7):
            client.ok({**ROWS[n], "src": "here", "n": n})
        assert client.ok({**ROWS[7], "src": "here", "n": 7}) == {"ok": True, "dup": True, "seq": 3, "durable": "always"}
        before = daemon.digest()
        daemon.kill()
    with start(folder) as daemon, daemon.connect() as client:
        assert daemon.digest() == before
        assert client.ok({**ROWS[2], "src": "here", "n": 2})["dup"] is True
        assert client.ok({"op": "test", **ROWS[2], "src": "here", "n": 7})["dup"] is True
        assert daemon.digest() == before
        assert client.ok({**ROWS[2], "src": "there", "n": 2}).get("dup") is None
        assert client.ok({**ROWS[8], "src": "here", "n": 8})["seq"] == 5
        assert daemon.digest()[0] != digest_of([ROWS[i] for i in (1, 2, 7, 2, 8)])[0]  # the sources count


def test_tracked_predictions_wait_for_their_labels_across_a_crash(folder):
    with start(folder, durability="always") as daemon, daemon.connect() as client:
        learn(client, ROWS[:10])
        for i in (10, 11, 12):
            client.ok({"op": "predict", "x": ROWS[i]["x"], "track": True, "id": i})
        client.ok({"op": "label", "ref": 11, "y": ROWS[11]["y"]})
        client.ok({"op": "snapshot"})
        client.ok({"op": "label", "ref": 10, "y": ROWS[10]["y"]})
        daemon.kill()
    with start(folder) as daemon, daemon.connect() as client:
        assert client.ok("stats")["tracked"]["waiting"] == 1
        assert client.error({"op": "label", "ref": 10, "y": []})["code"] == "unknown_ref"
        client.ok({"op": "label", "ref": 12, "y": ROWS[12]["y"]})
        assert client.ok("stats")["tracked"]["waiting"] == 0
        assert daemon.digest() == digest_of([*ROWS[:10], ROWS[11], ROWS[10], ROWS[12]])


def test_models_that_clients_make_and_drop(folder):
    with start(folder) as daemon, daemon.connect() as client:
        client.ok({"op": "model.create", "name": "one", "config": {"profile": "linear", "objective": "subset"}})
        client.ok({"op": "model.create", "name": "two"})
        learn(client, ROWS[:20], model="one")
        client.ok({"op": "model.drop", "name": "two"})
        client.ok({"op": "model.drop", "name": "default"})
        client.ok({"op": "snapshot", "model": "one"})
        learn(client, ROWS[20:40], model="one")
        before, models = daemon.digest("one"), client.ok("model.list")
    with start(folder, model_profile="accurate") as daemon, daemon.connect() as client:  # neither of them came from model{}
        assert client.ok("model.list") == models
        assert daemon.digest("one") == before


def test_another_configuration_is_refused_unless_forced(folder):
    with start(folder, model_objective="example_f1") as daemon, daemon.connect() as client:
        learn(client, ROWS[:30])
    assert 'another model.objective' in refused(folder, "--set", "model.objective=subset")
    assert 'another model.profile' in refused(folder, "--set", "model.profile=linear")
    with start(folder, "--force-config", durability="always", model_objective="subset") as daemon, daemon.connect() as client:
        learn(client, ROWS[30:60])
        before = daemon.digest()
        daemon.kill()
    with start(folder, model_objective="subset") as daemon:
        assert daemon.digest() == before
    assert 'another model.objective' in refused(folder)
    with start(folder, "--force-config", model_objective="subset", model_profile="linear") as daemon:
        assert daemon.digest() == before
        assert "config_kept model=default key=model.profile" in daemon.stderr()


def test_a_second_daemon_on_the_folder_is_refused(folder):
    with start(folder) as daemon:
        assert "is in use: another homerd runs on it" in refused(folder)
        assert daemon.ask("ping")["ok"]


def test_a_folder_that_cannot_be_used_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    assert str(tmp_path / "file") in refused(tmp_path / "file")
    assert str(tmp_path / "no" / "where") in refused(tmp_path / "no" / "where")


def test_damage_in_the_middle_is_refused_and_repaired(folder):
    with start(folder, durability="always", snapshot_every_seconds=0) as daemon, daemon.connect() as client:
        for row in ROWS[:40]:
            client.ok({"op": "learn", **row})
        daemon.kill()
    log, = folder.glob("wal-*")
    content = bytearray(log.read_bytes())
    used = len(content.rstrip(b"\0"))
    content[used // 2] ^= 1
    log.write_bytes(content)
    told = refused(folder)
    assert log.name in told and "--repair" in told
    done = harness.run_homerd("--data-dir", folder, "--repair")
    assert done.returncode == 0 and log.name in done.out
    with start(folder) as daemon:
        digest, seq = daemon.digest()
        assert 10 < seq < 30
        assert (digest, seq) == digest_of(ROWS[:seq])
    assert (folder / f"{log.name}.damaged").exists()


def test_requests_are_answered_not_ready_while_recovering(folder, tmp_path):
    with start(folder, durability="none", snapshot_every_seconds=0) as daemon:
        harness.feed(daemon.address, streams.as_lines(streams.recorded("emotions", 500)) * 20, [1 << 16])
        count = daemon.digest()[1]
        daemon.kill()
    path = str(tmp_path / "socket")
    process = subprocess.Popen([harness.HOMERD, "--data-dir", folder, "--unix", path], stderr=subprocess.DEVNULL)
    try:
        client = None
        while client is None:
            assert process.poll() is None
            try:
                client = harness.Client(path)
            except OSError:
                pass
        codes = set()
        while not (reply := client.ask("stats"))["ok"]:
            assert client.ok("ping")["pong"]
            codes.add((reply["error"]["code"], reply["error"]["retry"]))
        assert codes == {("not_ready", True)}
        assert reply["seq"] == count
    finally:
        process.terminate()
        assert process.wait(harness.SAFETY_SECONDS) == 0


def learn_until_refused(client, learned):
    """Rows one by one; how many the model has learned then."""
    while (reply := client.ask({"op": "learn", **ROWS[learned % 100]}))["ok"]:
        learned += 1
    assert (reply["error"]["code"], reply["error"]["retry"]) == ("read_only", True)
    assert client.ok({"op": "predict", "x": ROWS[0]["x"]})["labels"] is not None
    assert client.ok("stats")["log"]["read_only"] is True
    return learned


def learn_again(client, learned):
    """It comes back by itself."""
    while not client.ask({"op": "learn", **ROWS[learned % 100]})["ok"]:
        pass
    assert client.ok("stats")["log"]["read_only"] is False
    return learned + 1


def test_a_full_disk_refuses_learning_and_passes(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", disk], capture_output=True).returncode:
        pytest.skip("may not mount a small disk")
    folder = disk / "data"
    try:
        with start(folder, durability="always", segment_bytes="64KiB", limits_max_line="4KiB", snapshot_every_seconds=0) as daemon, daemon.connect() as client:
            learn(client, ROWS[:10])
            ballast = disk / "ballast"
            with pytest.raises(OSError), open(ballast, "wb", 0) as file:
                while True:
                    file.write(b"x" * 4096)
            learned = learn_until_refused(client, 10)
            assert daemon.digest()[1] == learned > 20
            ballast.unlink()
            learned = learn_again(client, learned)
            before = daemon.digest()
            daemon.kill()
        subprocess.run(["mount", "-o", "remount,size=4m", disk], check=True)
        with start(folder, segment_bytes="64KiB", limits_max_line="4KiB") as daemon:
            assert daemon.digest() == before
            assert before[1] == learned
    finally:
        subprocess.run(["umount", "-l", disk], check=True)


def test_a_write_that_fails_holds_back_its_replies_and_refuses_the_next(folder):
    with start(folder, durability="always", limits_ack_timeout_ms=10, snapshot_every_seconds=0) as daemon, daemon.connect() as client:
        learn(client, ROWS[:10])
        resource.prlimit(daemon.pid, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))  # every write fails
        client.send({"op": "learn", **ROWS[10]})
        assert client.rest() == []  # never acknowledged: it is not known what became of it
        with daemon.connect() as other:
            assert learn_until_refused(other, 11) == 11
            resource.prlimit(daemon.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
            learn_again(other, 11)
        before = daemon.digest()
        daemon.kill()
    with start(folder) as daemon:
        assert daemon.digest() == before == digest_of(ROWS[:12])


def test_sixteen_connections_give_the_same_model_as_one(folder):
    with start(folder, durability="always") as daemon:
        clients = [daemon.connect() for _ in range(16)]
        for i, row in enumerate(ROWS):
            clients[i % 16].ok({"op": "learn", **row})
        assert daemon.digest() == digest_of(ROWS)
        for client in clients:
            client.__exit__()


def test_the_client_sends_a_file_again_and_nothing_is_learned_twice(folder, tmp_path):
    file = tmp_path / "rows.jsonl"
    file.write_bytes(streams.as_lines(ROWS[:60]))
    with start(folder, durability="always") as daemon:
        first = harness.run_homer("learn", file, "--src", "rows", "--to", daemon.to, "--json")
        assert json.loads(first.out) | {"seconds": 0} == {"learned": 60, "repeated": 0, "refused": 0, "seconds": 0}
        before = daemon.digest()
        snapshot = json.loads(harness.run_homer("snapshot", "--to", daemon.to, "--json").out)
        assert (snapshot["digest"], snapshot["seq"]) == before
        daemon.kill()
    with open(file, "ab") as more:
        more.write(streams.as_lines(ROWS[60:70]))
    with start(folder) as daemon:
        again = harness.run_homer("learn", file, "--src", "rows", "--to", daemon.to)
        assert again.returncode == 0
        assert "learned 10 instances" in again.out and "60 were learned before" in again.out
        assert daemon.digest()[1] == 70


@pytest.mark.parametrize("durability", ["always", "interval", "none"])
def test_clients_that_are_faster_than_the_disk_wait_for_it(folder, durability):
    """Two segments of the least size are full all the time: nobody is refused, and nothing is lost."""
    rows = ROWS * 15
    with start(folder, durability=durability, segment_bytes="64KiB", limits_max_line="4KiB", snapshot_every_seconds=0) as daemon:
        replies = harness.feed(daemon.address, streams.as_lines(rows, op="learn"), [1 << 16])
        assert [reply.get("seq") for reply in replies] == list(range(1, len(rows) + 1))
        with daemon.connect() as client:
            assert client.ok("stats")["errors"]["busy"] == 0
        before = daemon.digest()
    with start(folder, limits_max_line="4KiB") as daemon:
        assert daemon.digest() == before
