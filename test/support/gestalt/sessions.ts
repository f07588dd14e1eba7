import { expect } from 'vitest';
import { docker } from '../container/docker.ts';
import type { Failure, TestGestaltd } from './gestaltd.ts';

export interface Session {
  readonly id: string;
  readonly state: string;
  readonly stateReason?: string;
  readonly stateMessage?: string;
  readonly metadata?: Readonly<Record<string, string>>;
}

/** Ends what hangs; nothing is measured by it. */
export const patient = { timeout: 60_000 };

export const failure = (promise: Promise<unknown>) =>
  promise.then(
    () => undefined,
    (error: Failure) => error,
  );

export const containers = async (filter = 'label=runtime.protocol=gestalt') =>
  (await docker('ps', '--all', '--quiet', '--filter', filter)).split('\n').filter((line) => line !== '');

/** A session that is not pending any more, and that the log host knows. */
export async function readySession(
  gestaltd: TestGestaltd,
  image: string,
  request: object = {},
): Promise<Session> {
  const { id } = await gestaltd.call<Session>('StartSession', { pluginName: 'echo', image, ...request });
  gestaltd.register(id);
  await expect
    .poll(async () => (await gestaltd.call<Session>('GetSession', { sessionId: id })).state, patient)
    .not.toBe('pending');
  return await gestaltd.call<Session>('GetSession', { sessionId: id });
}

export const plugin = (sessionId: string, more: object = {}) => ({
  sessionId,
  pluginName: 'echo',
  command: 'python3',
  args: ['plugin.py', 'two words', '', '$HOME'],
  env: { GREETING: 'a\n"b" $c' },
  ...more,
});
