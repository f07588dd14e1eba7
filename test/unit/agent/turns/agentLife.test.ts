import { expect, test } from 'vitest';
import type { AgentDescription, AgentLink } from '../../../../src/agent/links/agentLink.ts';
import type { AgentProcess } from '../../../../src/agent/process/agentMessages.ts';
import { createAgentLife } from '../../../../src/agent/turns/agentLife.ts';
import { fakeClock } from '../../../support/fakeClock.ts';
import { memoryLog } from '../../../support/memoryLog.ts';

const process = { instance: 'ins_1', startedAt: '2026-11-28T00:00:00.000Z' } as AgentProcess;

/** The life of an agent that answers when the test says so. */
function open() {
  const clock = fakeClock();
  const ready = Promise.withResolvers<AgentDescription>();
  const link: Pick<AgentLink, 'ready' | 'close'> = {
    ready: (signal) =>
      Promise.race([
        ready.promise,
        new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
      ]),
    close: async () => undefined,
  };
  const life = createAgentLife(
    {
      openLink: () => link as AgentLink,
      clock,
      log: memoryLog().log,
      startTimeoutMs: 60_000,
      onChange: () => undefined,
    },
    () => true,
  );
  life.begin(process);
  return { life, clock, answer: () => ready.resolve({ agent: { name: 'a' } } as AgentDescription) };
}

test('an agent that answers later than it may has failed until then, and not for good', async () => {
  const { life, clock, answer } = open();
  await clock.advance(59_999);
  expect(life.standing).toEqual({ type: 'starting' });
  await clock.advance(1);
  expect(life.standing).toMatchObject({ type: 'down', reason: expect.stringContaining('within 60000 ms') });
  answer();
  await clock.advance(0);
  expect(life.standing).toEqual({ type: 'up' });
  expect(life.description).toMatchObject({ agent: { name: 'a' } });
  await clock.advance(120_000);
  expect(life.standing).toEqual({ type: 'up' });
});

test('one that has ended meanwhile is down for that, and not for being late', async () => {
  const { life, clock } = open();
  await clock.advance(1000);
  life.end('it has ended with 1');
  await clock.advance(120_000);
  expect(life.standing).toEqual({ type: 'down', reason: 'it has ended with 1' });
});
