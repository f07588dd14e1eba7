/** Commits transactions as fast as it can; after each, both tables hold the same sum. Says `ready` once. */
export const sqliteWriter = `
import sqlite3, sys
db = sqlite3.connect(sys.argv[1], isolation_level=None)
db.execute('PRAGMA journal_mode=WAL')
db.execute('PRAGMA synchronous=OFF')
db.execute('PRAGMA wal_autocheckpoint=50')
db.execute('CREATE TABLE IF NOT EXISTS a (id INTEGER PRIMARY KEY, value INTEGER, padding BLOB)')
db.execute('CREATE TABLE IF NOT EXISTS b (id INTEGER PRIMARY KEY, value INTEGER, padding BLOB)')
print('ready', flush=True)
number = db.execute('SELECT coalesce(max(value), 0) FROM a').fetchone()[0]
while True:
    number += 1
    db.execute('BEGIN IMMEDIATE')
    key = number * 7919 % 500
    for table in ('a', 'b'):
        db.execute(f'INSERT OR REPLACE INTO {table} VALUES (?, ?, randomblob(900))', (key, number))
    db.execute('COMMIT')
`;

/** Exits 0 when the database is intact and both tables hold the same; prints `good` and how far it came. */
export const sqliteCheck = `
import sqlite3, sys
try:
    db = sqlite3.connect(sys.argv[1])
    intact = db.execute('PRAGMA integrity_check').fetchone()[0]
    sums = [db.execute(f'SELECT count(*), sum(value) FROM {table}').fetchone() for table in ('a', 'b')]
except sqlite3.DatabaseError as error:
    sys.exit(f'broken: {error}')
if intact != 'ok' or sums[0] != sums[1]:
    sys.exit(f'{intact} {sums}')
print('good', db.execute('SELECT max(value) FROM a').fetchone()[0])
`;
