"""Two functions: one counts its own runs, the other says how many. Each gets what its parameters ask for by name."""

import json
import os
from pathlib import Path


def run(bot_id, config):
    file = state_file()
    runs = read(file) + config.get("step", 1)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(runs))
    print(f"{bot_id}: run number {runs}")


def answer():
    """Answers one query. Asked to listen, it does not: the runtime then calls it for each query."""
    path = os.environ.get("QUERY_PATH")
    if path is None:
        return
    if path == "/status":
        result = {"status": "ok", "data": {"runs": read(state_file())}}
    else:
        result = {"status": "error", "error": "ask /status"}
    Path("/query/result.json").write_text(json.dumps(result))


def state_file():
    return Path(os.environ["STATE_DIR"]) / "runs.json"


def read(file):
    return json.loads(file.read_text()) if file.exists() else 0
