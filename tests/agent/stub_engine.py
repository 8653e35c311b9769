"""Stands in for the serving engine: the same files, lock and HTTP paths, but it only counts.

A model file with the text "broken" makes it end at once; POST /die ends it; POST /v1/stream sends a piece every 20 ms
until its reader goes away, which it notes in `gone`; POST /v1/port tells which connection asks, and after POST
/v1/last it closes the connection.
"""

import fcntl
import json
import os
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

folder = Path(sys.argv[1])
lock = os.open(folder / "engine.lock", os.O_RDWR | os.O_CREAT, 0o600)
fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
wanted = json.loads((folder / "engine.json").read_text())
if Path(wanted["model"]).read_text() == "broken":
    sys.exit("the model cannot be read")


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"  # connections are kept, like the real engine's

    def do_GET(self):
        self.answer(200, b'{"status":"ok"}')

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers["Authorization"] != f"Bearer {wanted['api_key']}":
            self.answer(401, b"{}")
        elif self.path == "/die":
            os._exit(1)
        elif self.path == "/v1/stream":
            self.stream()
        elif self.path == "/v1/port":
            self.answer(200, json.dumps({"port": self.client_address[1]}).encode())
        elif self.path == "/v1/last":
            self.answer(200, b"{}")
            self.close_connection = True
        else:
            self.answer(200, json.dumps({"echo": body.decode(), "model": wanted["name"]}).encode())

    def answer(self, status, body):
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def stream(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        try:
            while True:
                self.wfile.write(b"9\r\ndata: x\n\n\r\n")
                time.sleep(0.02)
        except OSError:
            (folder / "gone").touch()

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
ready = folder / "ready.partial"  # like the real engine: whoever reads ready.json reads all of it
ready.write_text(json.dumps({"address": f"http://127.0.0.1:{server.server_port}", "pid": os.getpid()}))
ready.replace(folder / "ready.json")
server.serve_forever()
