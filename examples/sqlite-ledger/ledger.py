"""The ledger: transfers, and the entries that each of them makes. All entries together are always zero."""

import os
import sqlite3
from pathlib import Path

TABLES = """
CREATE TABLE IF NOT EXISTS transfer (number INTEGER PRIMARY KEY, at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP);
CREATE TABLE IF NOT EXISTS entry (
  transfer INTEGER NOT NULL REFERENCES transfer (number), account TEXT NOT NULL, cents INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS entry_of ON entry (account);
"""


def file():
    return Path(os.environ["STATE_DIR"], "ledger.db")


def open_for_writing():
    file().parent.mkdir(parents=True, exist_ok=True)
    book = sqlite3.connect(file())
    # Readers do not wait for the writer, and FULL: what is committed is on the disk.
    book.execute("PRAGMA journal_mode = WAL")
    book.execute("PRAGMA synchronous = FULL")
    book.executescript(TABLES)
    return book


def open_for_reading():
    """As a query program does it, which cannot write: one that nobody has open needs `immutable` (docs/queries.md)."""
    book = sqlite3.connect(file())
    try:
        book.execute("SELECT 1 FROM sqlite_master").fetchone()
    except sqlite3.OperationalError:
        book = sqlite3.connect(f"file:{file()}?immutable=1", uri=True)
    return book


def transfer(book, source, target, cents):
    """Its number. Both entries, or none."""
    with book:
        number = book.execute("INSERT INTO transfer DEFAULT VALUES").lastrowid
        entries = [(number, source, -cents), (number, target, cents)]
        book.executemany("INSERT INTO entry VALUES (?, ?, ?)", entries)
    return number


def last(book):
    return book.execute("SELECT coalesce(max(number), 0) FROM transfer").fetchone()[0]


def balances(book):
    return dict(book.execute("SELECT account, sum(cents) FROM entry GROUP BY account ORDER BY account"))


def check(book):
    """What an auditor asks: is every transfer whole, does everything add up, is the file sound?"""
    halves = "SELECT count(*) FROM (SELECT 1 FROM entry GROUP BY transfer HAVING count(*) != 2 OR sum(cents) != 0)"
    empty = "SELECT count(*) FROM transfer WHERE number NOT IN (SELECT transfer FROM entry)"
    return {
        "transfers": book.execute("SELECT count(*) FROM transfer").fetchone()[0],
        "last": last(book),
        "broken": book.execute(halves).fetchone()[0] + book.execute(empty).fetchone()[0],
        "sum": book.execute("SELECT coalesce(sum(cents), 0) FROM entry").fetchone()[0],
        "integrity": book.execute("PRAGMA integrity_check").fetchone()[0],
    }
