"""Watches prices and raises an alert when one crosses a limit of config.json.

An alert is raised once: it is armed again when the price is back on the other side. What is armed is part of the state, so a
restart repeats nothing.
"""

import time

from prices import simulated
from watcher import Watcher


def main(bot_id, config):
    watcher = Watcher.load()
    print(f"{bot_id} watches {len(config['alerts'])} limits; {len(watcher.alerts)} alerts so far")
    for prices in simulated(watcher.prices):
        for alert in watcher.look(prices, config["alerts"]):
            print(f"ALERT {alert['symbol']} is {alert['price']}, {alert['side']} {alert['limit']}")
        watcher.save()
        time.sleep(config.get("seconds", 1))
