import { expect, test } from 'vitest';
import { RuntimeError } from '../../../../../src/base/errors.ts';
import type { Engine } from '../../../../../src/host/engine/engine.ts';
import { Endings } from '../../../../../src/host/gateway/workers/endings.ts';
import { memoryLog } from '../../../../support/memoryLog.ts';

test('what an engine that is away does not let go of goes when it is back, and what follows then, once', async () => {
  let away = true;
  const gone: string[] = [];
  const engine = {
    kill: async () => {
      if (away) throw new RuntimeError('unavailable', 'the engine is away');
    },
    remove: async (name: string) => void gone.push(name),
  } as unknown as Engine;
  const { log, lines } = memoryLog();
  const endings = new Endings(engine, log);
  await endings.end('w', async () => void gone.push('its folder'));
  await endings.again();
  expect([gone, lines.length]).toEqual([[], 1]);
  away = false;
  await endings.again();
  await endings.again();
  expect(gone).toEqual(['w', 'its folder']);
});
