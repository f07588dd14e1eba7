import type { Sample } from './sample.ts';
import { settings } from './settings.ts';

export const python: Sample = (name) => ({
  ...settings({ name, kind: 'python3.11', bot: 'main.py', query: 'query.py' }),
  'main.py': bot,
  'query.py': query,
});

const bot = `"""Counts its runs; as a realtime bot, one every ten seconds until it is stopped."""
import json
import os
import time
from pathlib import Path


def main(bot_id, config):
    run(bot_id, config)
    while os.environ.get("BOT_TYPE") == "realtime":
        time.sleep(10)
        run(bot_id, config)


def run(bot_id, config):
    file = Path(os.environ["STATE_DIR"], "runs.json")
    runs = json.loads(file.read_text()) + 1 if file.exists() else 1
    print(f"{config.get('greeting', 'Hi')} from {bot_id}, run {runs}", flush=True)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(runs))
`;

const query = `"""Answers queries: as a server on THE0_QUERY_PORT, or one query, into /query/result.json."""
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
`;
