import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, copyFileSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { startProgram } from '../../../../src/agent/process/startProgram.ts';
import { temporaryDirectory } from '../../../support/files/temporary.ts';

const start = (script: string, control?: string) =>
  startProgram({
    launch: { argv: ['/bin/sh', '-c', script], cwd: '/', control },
    env: { PATH: '/usr/bin:/bin', ONLY: 'this' },
    user: undefined,
    stdout: 'pipe',
    stderr: 'pipe',
  });

const text = async (program: ReturnType<typeof start>) => {
  let read = '';
  for await (const chunk of program.stdout!) read += String(chunk);
  return read;
};

test('a launcher gets its program, and waits on descriptor 3 until it may go on', async () => {
  const program = start('read -r text <&3; read -r go <&3; echo "$text, $go, $ONLY"', 'the program\n');
  const silent = await Promise.race([
    program.ended,
    new Promise((resolve) => setTimeout(resolve, 100, 'still')),
  ]);
  expect(silent).toBe('still');
  program.go();
  expect(await text(program)).toBe('the program, go, this\n');
  expect(await program.ended).toEqual({ code: 0, signal: null, error: undefined });
});

test('a launcher that refuses says why; one that says anything else has not refused', async () => {
  const refusing = start(
    `read -r text <&3; echo '{"code":"config","message":"no main"}' >&3; exit 1`,
    'the program\n',
  );
  expect(await refusing.ended).toMatchObject({ code: 1, error: { code: 'config', message: 'no main' } });
  const babbling = start('read -r text <&3; echo hello >&3; exit 1', 'the program\n');
  expect(await babbling.ended).toEqual({ code: 1, signal: null, error: undefined });
});

test('without a launcher there is no descriptor 3', async () => {
  expect(await text(start('[ -e /proc/self/fd/3 ] && echo open || echo none'))).toBe('none\n');
});

test('what is not there, and what cannot be run', async () => {
  const of = (file: string) =>
    startProgram({
      launch: { argv: [file], cwd: '/', control: 'x' },
      env: {},
      user: undefined,
      stdout: 'pipe',
      stderr: 'pipe',
    });
  const missing = of('/nonexistent');
  expect(missing.pid).toBe(undefined);
  expect(missing.signal('SIGTERM')).toBe(false);
  expect(await missing.ended).toMatchObject({ error: { code: 'no-entrypoint' } });
  expect(await of('/etc/passwd').ended).toMatchObject({ error: { code: 'not-executable' } });
});

test('a program that is being written is waited for, for a moment', async () => {
  const file = join(await temporaryDirectory(), 'program');
  copyFileSync('/bin/true', file);
  const run = () =>
    startProgram({
      launch: { argv: [file], cwd: '/', control: undefined },
      env: {},
      user: undefined,
      stdout: 'pipe',
      stderr: 'pipe',
    });
  const writer = spawn('/bin/sh', ['-c', `exec 9>>${file}; echo open; sleep 0.1`], { stdio: 'pipe' });
  await once(writer.stdout, 'data');
  expect(await run().ended).toEqual({ code: 0, signal: null, error: undefined });

  const held = openSync(file, 'r+');
  const refused = run();
  expect(refused.pid).toBeUndefined();
  expect(await refused.ended).toMatchObject({
    error: { code: 'not-executable', hint: expect.stringContaining('open for writing') },
  });
  closeSync(held);
});

test('a signal reaches the whole group', async () => {
  const program = start('sleep 60 & wait');
  expect(program.signal('SIGKILL')).toBe(true);
  expect(await program.ended).toMatchObject({ code: null, signal: 'SIGKILL' });
  // The sleeping one held the pipes as well.
  await program.closed;
});
