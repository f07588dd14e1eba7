/** Writes turns into the ledger in a folder until it is killed, and prints the id of each that is kept: `ledgerWriter.ts DIR PREFIX`. */
import { writeSync } from 'node:fs';
import { openLedger } from '../../../src/agent/ledger/openLedger.ts';
import { systemClock } from '../../../src/base/clock.ts';
import { ledgerLine } from './ledgerLine.ts';

const [dir = '', prefix = ''] = process.argv.slice(2);
const ledger = await openLedger({ dir, clock: systemClock });
for (let i = 0; ; i++) {
  const id = `msg_${prefix}_${i}`;
  await ledger.record(ledgerLine(id));
  writeSync(1, `${id}\n`);
}
