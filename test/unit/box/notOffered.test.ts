import { expect, test } from 'vitest';
import { startBox } from '../../support/box/startBox.ts';

test('what the platform has and a box has not is 501 with a reason, not something that is missing', async () => {
  const box = await startBox();
  const calls = [
    ['GET', '/git/status'],
    ['POST', '/git/commit'],
    ['GET', '/tools'],
    ['POST', '/tools/install'],
    ['GET', '/permissions/users'],
    ['GET', '/backend/status'],
    ['GET', '/agents/events'],
    ['POST', '/snapshots'],
    ['POST', '/snapshots/list'],
  ] as const;
  for (const [method, path] of calls) {
    const { status, body } = await box.ask(method, path, method === 'POST' ? {} : undefined);
    expect([status, body.code], path).toEqual([501, 'NOT_SUPPORTED']);
    expect(body.message, path).not.toBe('');
  }
});

test('what is offered is said in the words that clients look for', async () => {
  const box = await startBox();
  expect((await box.ask('GET', '/capabilities')).body).toMatchObject({
    schema: 1,
    runs: { eventReplay: true },
    dispatch: { runControlRef: false },
    cancel: { canonicalRunCancellation: false },
    interactions: {},
    terminals: { webSocket: true },
  });
});
