"""Simulated prices: each symbol's walk goes on from its last price. A real bot asks its exchange here."""

import random

STARTS = {"BTC/USD": 60_000.0, "ETH/USD": 3_000.0}


def simulated(last):
    """Yields {symbol: price}, without end."""
    prices = {**STARTS, **last}
    while True:
        prices = {symbol: round(price * random.gauss(1, 0.002), 2) for symbol, price in prices.items()}
        yield prices
