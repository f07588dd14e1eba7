"""Keeps a ledger in SQLite: simulated transfers between accounts, each with its two entries in one transaction.

Whatever ends the bot, kill -9 included, every transfer is in the ledger whole or not at all, and the next run goes on behind
the last one.
"""

import random
import time

import ledger


def main(bot_id, config):
    book = ledger.open_for_writing()
    print(f"{bot_id} goes on after transfer {ledger.last(book)}")
    while True:
        source, target = random.sample(config["accounts"], 2)
        number = ledger.transfer(book, source, target, cents=random.randint(1, 100_000))
        print(f"transfer {number}: {source} to {target}")
        time.sleep(config.get("seconds", 1))
