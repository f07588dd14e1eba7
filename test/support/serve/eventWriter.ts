/** A process that writes events until it is killed, and says on stdout which the log has taken: `node eventWriter.ts FOLDER`. */
import { writeSync } from 'node:fs';
import { openEventLog } from '../../../src/protocol/tangle/events/eventLog.ts';

const log = openEventLog(process.argv[2]!, Date.now, {
  segmentBytes: 20_000,
  segments: 1000,
  ringBytes: 1000,
});
for (;;) {
  log.append([{ type: 'tick', data: { filler: 'x'.repeat(Math.floor(Math.random() * 400)) } }]);
  writeSync(1, `${log.lastId}\n`);
}
