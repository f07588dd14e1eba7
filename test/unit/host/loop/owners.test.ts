import { expect, onTestFinished, test, vi } from 'vitest';
import type { Owner } from '../../../../src/host/owners/owners.ts';
import { aSpec, scheduled } from '../../../support/host/aSpec.ts';
import { startModelLoop } from '../../../support/host/modelLoop.ts';

const until = (check: () => void) => vi.waitFor(check, { timeout: 15_000, interval: 20 });
const ours: Owner = { type: 'ours' };
const elsewhere: Owner = { type: 'elsewhere', message: 'host b on c has it', ends: true };

/** A host whose bots' owners the test says. */
function host(first: Owner) {
  let owner = first;
  const one = startModelLoop({ owners: { of: () => owner } });
  onTestFinished(() => one.stop());
  return {
    ...one,
    becomes: (next: Owner) => {
      owner = next;
      for (const bot of one.loop.bots()) one.loop.wake(bot);
    },
    ready: () => one.loop.state('a').ready?.reason,
  };
}

test('another host’s bot is not started, says whose it is, and starts once it is this host’s', async () => {
  const { list, running, model, loop, becomes, ready } = host(elsewhere);
  list(aSpec({ name: 'a' }));
  await until(() => expect(ready()).toBe('HeldElsewhere'));
  const conditions = () =>
    loop.state('a').conditions.map(({ type, status, message }) => [type, status, message]);
  expect(conditions()).toContainEqual(['Ready', false, 'host b on c has it']);
  expect(conditions()).toContainEqual(['Fenced', true, 'host b on c has it']);
  expect(model.lives).toEqual([]);
  becomes(ours);
  await until(() => expect(running()).toEqual(['a']));
  await until(() => expect(conditions().map(([type]) => type)).not.toContain('Fenced'));
});

test('nothing is started before it is known whose it is', async () => {
  const { list, running, model, becomes, ready } = host({ type: 'asking' });
  list(aSpec({ name: 'a' }));
  await until(() => expect(ready()).toBe('AskingStore'));
  expect(model.lives).toEqual([]);
  becomes(ours);
  await until(() => expect(running()).toEqual(['a']));
});

test('what keeps it from being known whose a bot is is a condition of the bot', async () => {
  const why = 'the store refuses each conditional write. Use another';
  const { list, loop, becomes, ready } = host({ type: 'asking', why });
  list(aSpec({ name: 'a' }));
  await until(() => expect(ready()).toBe('AskingStore'));
  const told = () =>
    loop.state('a').conditions.map(({ type, status, reason, message }) => [type, status, reason, message]);
  await until(() => expect(told()).toContainEqual(['Ready', false, 'AskingStore', why]));
  expect(told()).toContainEqual(['Degraded', true, 'OwnersUnknown', why]);
  becomes(ours);
  await until(() => expect(told().map(([type]) => type)).not.toContain('Degraded'));
});

test('what runs ends in order when another host has taken it over, and is not started again', async () => {
  const { list, running, model, becomes, ready } = host(ours);
  list(aSpec({ name: 'a' }));
  await until(() => expect(running()).toEqual(['a']));
  becomes(elsewhere);
  await until(() => expect(model.signals).toMatchObject([{ name: 'rt-a', signal: 'SIGTERM' }]));
  model.end('rt-a', 143);
  await until(() => expect(ready()).toBe('HeldElsewhere'));
  expect(model.lives.length).toBe(1);
});

test('a copy of a host starts nothing, and ends nothing that runs', async () => {
  const { list, loop, running, model, becomes } = host(ours);
  list(aSpec({ name: 'a' }));
  await until(() => expect(running()).toEqual(['a']));
  becomes({ ...elsewhere, ends: false });
  list(aSpec({ name: 'a' }), aSpec({ name: 'b' }));
  await until(() => expect(loop.state('b').ready?.reason).toBe('HeldElsewhere'));
  await until(() => expect(loop.state('a').conditions.some(({ type }) => type === 'Fenced')).toBe(true));
  expect(running()).toEqual(['a']);
  expect(model.signals).toEqual([]);
});

test('no time of another host’s bot is given out, and none is made up for once it is this host’s', async () => {
  const { list, model, events, kept, becomes, ready } = host({ type: 'asking' });
  list(scheduled('a', { cron: '* * * * * *' }));
  await until(() => expect(ready()).toBe('AskingStore'));
  becomes(elsewhere);
  await until(() => expect(ready()).toBe('HeldElsewhere'));
  expect(kept.records.get('a').schedule).toBeUndefined();
  const before = Date.now();
  becomes(ours);
  await until(() => expect(model.lives.length).toBeGreaterThan(0));
  expect(model.lives[0]!.run).toBeGreaterThan(before);
  // Those that come while it runs are passed over.
  const early = events.filter(({ facts }) => Number(facts.from ?? facts.time) <= before);
  expect(early).toEqual([]);
});
