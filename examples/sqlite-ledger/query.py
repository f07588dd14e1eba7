"""Answers /balances and /check: as a server while the bot runs, else one query into a file."""

import json
import os
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import ledger


def answer(path, params):
    with closing(ledger.open_for_reading()) as book:
        if path == "/balances":
            return {"status": "ok", "data": ledger.balances(book)}
        if path == "/check":
            return {"status": "ok", "data": ledger.check(book)}
    return {"status": "error", "error": "ask /balances or /check"}


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        url = urlsplit(self.path)
        body = json.dumps(answer(url.path, dict(parse_qsl(url.query)))).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


if "THE0_QUERY_PORT" in os.environ:
    ThreadingHTTPServer(("127.0.0.1", int(os.environ["THE0_QUERY_PORT"])), Handler).serve_forever()
else:
    parameters = json.loads(os.environ.get("QUERY_PARAMS") or "{}")
    Path("/query/result.json").write_text(json.dumps(answer(os.environ["QUERY_PATH"], parameters)))
