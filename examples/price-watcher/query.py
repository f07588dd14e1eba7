"""Answers /status and /alerts?symbol=…&limit=…: as a server while the bot runs, else one query into a file."""

import json
import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from watcher import Watcher


def answer(path, params):
    watcher = Watcher.load()
    if path == "/status":
        data = {"prices": watcher.prices, "beyond": watcher.beyond, "alerts": len(watcher.alerts)}
        return {"status": "ok", "data": data}
    if path == "/alerts":
        symbol = params.get("symbol")
        alerts = [alert for alert in watcher.alerts if symbol in (None, alert["symbol"])]
        return {"status": "ok", "data": alerts[-int(params.get("limit", 20)) :]}
    return {"status": "error", "error": "ask /status or /alerts"}


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
