"""Answers queries: as a server on THE0_QUERY_PORT, or one query, into /query/result.json."""

import json
import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit


def answer(path, params):
    if path == "/status":
        file = Path(os.environ["STATE_DIR"], "runs.json")
        runs = json.loads(file.read_text()) if file.exists() else 0
        return {"status": "ok", "data": {"runs": runs, "params": params}}
    return {"status": "error", "error": f"no such query: {path}"}


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        url = urlsplit(self.path)
        result = answer(url.path, dict(parse_qsl(url.query)))
        body = json.dumps(result).encode()
        self.send_response(200 if result["status"] == "ok" else 404)
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
    result = answer(os.environ["QUERY_PATH"], parameters)
    Path("/query/result.json").write_text(json.dumps(result))
