"""One connection with many requests in flight, as fast as Python can; what it costs in time, and the longest silence."""
import threading
import time


def drive(client, block, lines, count, in_flight, on_replies=None):
    """Sends `block` (bytes of `lines` requests) until `count` requests were answered; at most about in_flight are unanswered. Seconds, and
    the longest time between two arrivals of replies."""
    blocks = -(-count // lines)
    free = threading.Semaphore(max(1, in_flight // lines))
    failure = []

    def send():
        try:
            for _ in range(blocks):
                free.acquire()
                client.socket.sendall(block)
        except OSError as error:
            failure.append(error)

    writer = threading.Thread(target=send, daemon=True)
    started = last = time.monotonic()
    longest = got = seen = 0
    writer.start()
    while got < blocks * lines:
        data = client.socket.recv(1 << 18)
        now = time.monotonic()
        assert data, failure or "the daemon closed the connection"
        assert b'"ok":false' not in data, data[:300]
        longest, last = max(longest, now - last), now
        got += data.count(b"\n")
        while seen + lines <= got:
            seen += lines
            free.release()
        if on_replies:
            on_replies(got)
    writer.join()
    return time.monotonic() - started, longest
