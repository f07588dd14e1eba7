import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { acpStandIn } from '../../support/agent/cases.ts';
import { ready } from '../../support/agent/driveAgent.ts';
import { runAgent, TOKEN } from '../../support/agent/runAgent.ts';
import { executable, runRuntime, startRuntime } from '../../support/process/executable.ts';

test('runtime ask talks to an agent', { timeout: 240_000 }, async () => {
  const { client, url } = await runAgent(acpStandIn);
  await ready(client);
  const env = { AGENT_TOKEN: TOKEN };
  const ask = (...args: string[]) => runRuntime(['ask', url, ...args], env);

  // A message, in a conversation that goes on.
  expect(await ask('say apple', '-c', 'one')).toMatchObject({
    code: 0,
    stdout: 'I heard apple\n',
    stderr: '',
  });
  expect(await ask('say pear', '--conversation', 'one')).toMatchObject({
    code: 0,
    stdout: 'I heard apple pear\n',
  });
  const events = (await ask('tool', '--json')).stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { type: string });
  expect(events.map(({ type }) => type)).toEqual(['start', 'thought', 'tool', 'tool', 'delta', 'end']);

  // How it ends: badly, early, or not at all before somebody has had enough.
  expect(await ask('fail')).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/^runtime: the turn failed: .*out of credit.*\(agent_failed\)\n$/),
  });
  expect(await ask('refuse never')).toMatchObject({
    code: 0,
    stdout: 'never\n',
    stderr: 'runtime: the agent stopped early: refusal\n',
  });
  const hanging = startRuntime(['ask', url, 'hang'], env);
  await hanging.prints('begun');
  hanging.child.kill('SIGINT');
  expect(await hanging.finished).toMatchObject({ code: 130, stderr: 'runtime: the turn was cancelled\n' });

  // All of stdin is one message where it is no terminal.
  const piped = spawn(executable, ['ask', url], { env, stdio: ['pipe', 'pipe', 'inherit'] });
  piped.stdin.end('two\nlines\n');
  expect(await text(piped.stdout)).toBe('you said two\nlines\n');

  // On a terminal, a message a line.
  const typed = spawn('script', ['-qec', `${executable} ask ${url}`, '/dev/null'], {
    env: { ...process.env, ...env },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  let shown = '';
  typed.stdout.setEncoding('utf8').on('data', (piece: string) => {
    shown += piece;
  });
  const shows = (what: string) => expect.poll(() => shown, { timeout: 60_000 }).toContain(what);
  await shows('> ');
  typed.stdin.write('say fig\r');
  await shows('I heard fig');
  typed.stdin.write('hang\r');
  await shows('begun');
  // Ctrl-C is the turn's, not the conversation's.
  typed.stdin.write('\x03');
  await shows('the turn was cancelled');
  typed.stdin.write('say plum\r');
  await shows('I heard fig plum');
  typed.stdin.write('\x04');
  expect(await new Promise((resolve) => typed.once('close', resolve))).toBe(0);

  // What is wrong is said, with what to do about it.
  expect(await runRuntime(['ask', url, 'x'], {})).toMatchObject({
    code: 69,
    stderr: expect.stringContaining('Set AGENT_TOKEN'),
  });
  expect(await runRuntime(['ask', 'http://127.0.0.1:9', 'x'], env)).toMatchObject({
    code: 69,
    stderr: expect.stringContaining('gave no answer'),
  });
  expect(await runRuntime(['ask', '127.0.0.1:9476', 'x'], env)).toMatchObject({
    code: 64,
    stderr: expect.stringContaining('did you mean http://127.0.0.1:9476?'),
  });
});
