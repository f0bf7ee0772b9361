"""A worker of the standard library alone: a greeting, a stream, and an end that waits for what is in flight."""

import json
import os
import signal
import socketserver
import threading
import time
from http.server import BaseHTTPRequestHandler
from urllib.parse import parse_qs, urlsplit

PORT = int(os.environ.get("PORT", "8080"))
NAME = f"{os.environ.get('EBB_REPLICA', 'hello-python')} (pid {os.getpid()})"

stopping = threading.Event()
in_flight = 0
changed = threading.Condition()


def count(by):
    global in_flight
    with changed:
        in_flight += by
        changed.notify_all()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Head and body are two small writes; Nagle's algorithm would hold the second back for the first's acknowledgement.
    disable_nagle_algorithm = True
    counted = False

    def handle_one_request(self):
        try:
            super().handle_one_request()
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True
        finally:
            if self.counted:
                self.counted = False
                count(-1)

    def parse_request(self):
        # Called once a request line has arrived: an idle kept connection is not in flight.
        self.counted = True
        count(+1)
        return super().parse_request()

    def do_GET(self):
        self.read_body()
        url = urlsplit(self.path)
        query = parse_qs(url.query)
        # Gateways forward the path as it came, so only its end tells what is meant.
        if url.path.endswith("/healthz"):
            self.send("application/json", b'{"status":"ready"}\n')
        elif url.path.endswith("/stream"):
            self.stream(int(number_in(query, "chunks", 5, 10_000)), number_in(query, "ms", 100, 600_000))
        else:
            time.sleep(number_in(query, "ms", 0, 600_000) / 1000)
            self.send("text/plain; charset=utf-8", f"hello from {NAME}\n".encode())

    do_POST = do_GET

    def read_body(self):
        """What is left unread would be taken for the next request on this connection."""
        if "Transfer-Encoding" in self.headers:
            self.close_connection = True
        self.rfile.read(int(self.headers.get("Content-Length", "0")))

    def send(self, content_type, body):
        self.head(content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def stream(self, chunks, ms):
        self.head("text/event-stream")
        self.send_header("Cache-Control", "no-cache")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for chunk in range(1, chunks + 1):
            if chunk > 1:
                time.sleep(ms / 1000)
            data = f"data: {json.dumps({'chunk': chunk, 'of': chunks, 'from': NAME})}\n\n".encode()
            self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        self.wfile.write(b"0\r\n\r\n")

    def head(self, content_type):
        self.send_response(200)
        self.send_header("Content-Type", content_type)
        if stopping.is_set() or self.close_connection:
            # Sets close_connection too.
            self.send_header("Connection", "close")

    def log_message(self, form, *values):
        if not urlsplit(getattr(self, "path", "")).path.endswith("/healthz"):
            print(form % values, flush=True)


def number_in(query, key, otherwise, most):
    try:
        return min(max(float(query[key][0]), 0), most)
    except (KeyError, ValueError):
        return otherwise


class Server(socketserver.ThreadingTCPServer):
    # Not http.server's own class, which asks for the host's name (perhaps over the network) before it listens.
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128


def main():
    # Blocked before a thread starts, so that every thread leaves these signals to sigwait below.
    stops = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, stops)
    server = Server(("127.0.0.1", PORT), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True).start()
    print(f"{NAME} listens on http://127.0.0.1:{server.server_address[1]}", flush=True)
    signal.sigwait(stops)
    stopping.set()
    server.shutdown()
    server.socket.close()
    with changed:
        changed.wait_for(lambda: in_flight == 0)


main()
