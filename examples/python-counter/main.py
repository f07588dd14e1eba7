"""Counts its own runs. What it writes under STATE_DIR is there again the next time."""

import json
import os
from pathlib import Path


def main(bot_id, config):
    file = Path(os.environ["STATE_DIR"]) / "runs.json"
    runs = json.loads(file.read_text()) if file.exists() else 0
    runs += config.get("step", 1)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(runs))
    print(f"{bot_id}: run number {runs}")
