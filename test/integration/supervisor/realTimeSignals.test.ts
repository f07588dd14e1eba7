import { chmodSync } from 'node:fs';
import { expect, test } from 'vitest';
import { executable, startProgram } from '../../support/process/executable.ts';
import { supervised } from '../../support/process/supervised.ts';

test.each([
  ['the first', 'kill -34 $$', { code: null, signal: 'SIG34', exit: 162 }],
  ['the last', 'kill -64 $$', { code: null, signal: 'SIG64', exit: 192 }],
  ['one of a program with threads', threads(50), { code: null, signal: 'SIG50', exit: 178 }],
  ['none', 'exit 0', { code: 0, signal: null, exit: 0 }],
  ['another', 'kill -USR1 $$', { code: null, signal: 'SIGUSR1', exit: 138 }],
  // Its output ends long before it does.
  ['the first, without outputs', 'exec >&- 2>&-; sleep 0.5; exit 0', { code: 0, signal: null, exit: 0 }],
])('a bot ended by a real-time signal: %s', async (_, script, expected) => {
  const bot = await supervised(`echo kept > f; ${script}`);
  const end = await bot.start().finished;
  expect(end.code, end.stderr).toBe(expected.exit);
  expect(await bot.exitRecord()).toMatchObject({ source: 'bot', ...expected, stateSaved: true });
});

test.runIf(process.geteuid!() === 0)('as another user, where root may not trace', async () => {
  const bot = await supervised('id -u; kill -40 $$');
  chmodSync(bot.container.root, 0o755);
  const env = { ...bot.env, BOT_USER: '12345:12345' };
  const end = await startProgram(['setpriv', '--bounding-set=-sys_ptrace', executable, 'execute'], env)
    .finished;
  expect(end, end.stderr).toMatchObject({ code: 168, stdout: '12345\n' });
  expect(await bot.exitRecord()).toMatchObject({ signal: 'SIG40', exit: 168 });
});

/** The signal goes to a thread that is not the first. */
function threads(signal: number): string {
  const program = `import os, signal, threading, time
threading.Thread(target=lambda: (time.sleep(0.1), os.kill(os.getpid(), ${signal}))).start()
time.sleep(60)`;
  return `exec /usr/bin/python3 -c '${program}'`;
}
