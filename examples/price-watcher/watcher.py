"""What the watcher knows, as it lies in STATE_DIR. The bot writes it, its query program reads it."""

import json
import os
from dataclasses import asdict, dataclass, field
from datetime import datetime, timezone
from pathlib import Path

KEPT = 1000


@dataclass
class Watcher:
    prices: dict = field(default_factory=dict)
    # Limits whose price is beyond them now, as "BTC/USD above 60300".
    beyond: list = field(default_factory=list)
    alerts: list = field(default_factory=list)

    @staticmethod
    def file():
        return Path(os.environ["STATE_DIR"], "watcher.json")

    @classmethod
    def load(cls):
        file = cls.file()
        return cls(**json.loads(file.read_text())) if file.exists() else cls()

    def save(self):
        """Renamed into place: a reader never sees half a file."""
        file = self.file()
        file.parent.mkdir(parents=True, exist_ok=True)
        written = file.with_suffix(".new")
        written.write_text(json.dumps(asdict(self)))
        written.replace(file)

    def look(self, prices, limits):
        """Takes new prices; the alerts that they raise."""
        self.prices = prices
        raised = []
        beyond = []
        for limit in limits:
            symbol = limit["symbol"]
            side = "above" if "above" in limit else "below"
            price, level = prices[symbol], limit[side]
            if not (price > level if side == "above" else price < level):
                continue
            name = f"{symbol} {side} {level}"
            beyond.append(name)
            if name not in self.beyond:
                at = datetime.now(timezone.utc).isoformat(timespec="seconds")
                raised.append({"at": at, "symbol": symbol, "price": price, "side": side, "limit": level})
        self.beyond = beyond
        self.alerts = [*self.alerts, *raised][-KEPT:]
        return raised
