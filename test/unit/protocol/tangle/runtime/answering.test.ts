import { Duplex } from 'node:stream';
import { expect, test } from 'vitest';
import { InUse } from '../../../../../src/protocol/tangle/runtime/inUse.ts';
import { fakeClock } from '../../../../support/fakeClock.ts';

/** Takes connections, and answers what is written to them with this. */
function sandbox(answer: () => string) {
  const woken: string[] = [];
  const dial = async () =>
    new Duplex({
      read: () => undefined,
      write(_, _encoding, done) {
        const text = answer();
        if (text !== '') this.push(text);
        done();
      },
    });
  return { woken, dial, touch: () => undefined, wake: async (id: string) => void woken.push(id) };
}

const OK = 'HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n';

test('one that takes connections and answers nothing is told to go on, and whoever waits is told at last', async () => {
  const still = sandbox(() => '');
  const clock = fakeClock();
  const inUse = new InUse({ sandboxes: still, clock });
  using call = inUse.begin('a');
  await clock.advance(8_000);
  expect(still.woken).toEqual(['a']);
  expect(call.over.aborted).toBe(false);
  await clock.advance(100_000);
  expect(call.over.reason).toMatchObject({ status: 502, code: 'SANDBOX_UNREACHABLE' });
  expect(still.woken).toHaveLength(12);
  // Whoever comes then waits anew.
  using next = inUse.begin('a');
  expect(next.over.aborted).toBe(false);
});

test('one that answers is left alone, and nothing is asked when no call is under way', async () => {
  let asked = 0;
  const fine = sandbox(() => {
    asked += 1;
    return OK;
  });
  const clock = fakeClock();
  const inUse = new InUse({ sandboxes: fine, clock });
  const [first, second] = [inUse.begin('a'), inUse.begin('a')];
  await clock.advance(30_000);
  expect(asked).toBeGreaterThan(2);
  first[Symbol.dispose]();
  second[Symbol.dispose]();
  const before = asked;
  await clock.advance(1_000_000);
  expect([asked, fine.woken, first.over.aborted]).toEqual([before, [], false]);
});

test('one that is called again just as it is given up is looked at for the new call, too', async () => {
  const given = Promise.withResolvers<void>();
  const clock = fakeClock();
  let woken = 0;
  const wake = async () => {
    woken += 1;
    if (woken === 12) await given.promise;
  };
  const inUse = new InUse({ sandboxes: { ...sandbox(() => ''), wake }, clock });
  const first = inUse.begin('a');
  await clock.advance(100_000);
  expect(woken).toBe(12);
  first[Symbol.dispose]();
  using next = inUse.begin('a');
  given.resolve();
  await clock.advance(100_000);
  expect(next.over.reason).toMatchObject({ status: 502, code: 'SANDBOX_UNREACHABLE' });
});

test('one that has answered again is not given up for what was before', async () => {
  let answer = '';
  const clock = fakeClock();
  const inUse = new InUse({ sandboxes: sandbox(() => answer), clock });
  using call = inUse.begin('a');
  for (let i = 0; i < 5; i++) {
    answer = '';
    await clock.advance(40_000);
    answer = OK;
    await clock.advance(10_000);
  }
  expect(call.over.aborted).toBe(false);
});
