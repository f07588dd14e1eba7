import { expect, test } from 'vitest';
import { Secret } from '../../../../../src/base/secret.ts';
import { createPool } from '../../../../../src/protocol/tangle/hosts/pool.ts';
import { fakeClock } from '../../../../support/fakeClock.ts';
import { memoryLog } from '../../../../support/memoryLog.ts';
import { serverOf } from '../../../../support/serve/machines.ts';

const amounts = { cpuMillis: 1, memoryBytes: 1, diskBytes: 1, slots: 1 };
const beat = {
  host: { name: '0b0b', driver: 'docker', total: amounts, used: amounts },
  version: '1',
  sandboxes: [],
};

test('a host that is away is told of once, with the reason, and so is that it is back', async () => {
  let isAway = true;
  const port = await serverOf((request, response) => {
    if (isAway) request.socket.destroy();
    else response.end(JSON.stringify(beat));
  });
  const clock = fakeClock();
  const { log, lines } = memoryLog();
  const member = { name: 'b', url: `http://127.0.0.1:${port}`, key: new Secret('k'), standby: false };
  const pool = createPool([member], clock, log);
  const hear = async (times: number) => {
    const before = lines.length;
    for (let i = 0; i < times; i++) {
      await pool.refresh();
      await clock.advance(5_000);
    }
    return lines.slice(before);
  };
  const away = expect.stringMatching(/is not heard of.*other side closed/);
  expect(await hear(10)).toEqual([away]);
  isAway = false;
  expect(await hear(10)).toEqual([expect.stringContaining('a host of sandboxes answers')]);
  isAway = true;
  // Not yet: it has been heard of lately.
  expect(await hear(2)).toEqual([]);
  expect(await hear(10)).toEqual([away]);
  isAway = false;
  expect(await hear(10)).toEqual([expect.stringContaining('a host of sandboxes answers')]);
});
