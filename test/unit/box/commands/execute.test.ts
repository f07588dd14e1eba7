import { afterAll, beforeAll, expect, test } from 'vitest';
import { startBox, type TestBox } from '../../../support/box/startBox.ts';
import { collect } from '../../../support/collect.ts';
import { isRunning } from '../../../support/process/isRunning.ts';

let box: TestBox;
beforeAll(async () => {
  box = await startBox({ shared: true });
});
afterAll(() => box.end());

test('stdout and stderr apart, also by name, and the exit code always', async () => {
  expect(await box.exec('echo out; echo err > /dev/stderr; exit 3')).toEqual({
    exitCode: 3,
    stdout: 'out\n',
    stderr: 'err\n',
    duration: expect.any(Number),
  });
  expect(await box.exec('kill -9 $$')).toMatchObject({ exitCode: 137, signal: 'SIGKILL' });
  expect(await box.exec('no-such-program-anywhere')).toMatchObject({ exitCode: 127 });
});

test('a command runs in the workspace, or where it is told, with the variables that it is given and none of ours', async () => {
  expect((await box.exec('pwd; echo "$AGENT_WORKSPACE_ROOT"; env | grep -c ^BOX_')).stdout).toBe(
    `${box.workspace}\n${box.workspace}\n0\n`,
  );
  expect((await box.exec('mkdir -p sub')).exitCode).toBe(0);
  expect((await box.exec('pwd; echo "$A"', { cwd: 'sub', env: { A: 'ä b' } })).stdout).toBe(
    `${box.workspace}/sub\nä b\n`,
  );
});

test('whatever runs stands behind the box when processor time is short', async () => {
  const untilBehind = 'until [ "$(nice)" = 19 ]; do sleep 0.05; done; nice';
  expect((await box.exec(untilBehind, { timeout: 60_000 })).stdout).toBe('19\n');
});

test('a command of any length, whose lines keep their numbers', async () => {
  const long = 'x'.repeat(3_000_000);
  expect(await box.exec(`echo '${long}' | wc -c\necho $LINENO; exit 7`)).toMatchObject({
    exitCode: 7,
    stdout: `${long.length + 1}\n2\n`,
  });
  // Control: as one word the system refuses it.
  expect(await box.exec(`A='${'x'.repeat(90_000)}'; /bin/sh -c "$A$A" 2>&1`)).toMatchObject({
    exitCode: 126,
  });
});

test('all that is printed comes back, to the last byte before the end', async () => {
  for (let round = 0; round < 5; round++) {
    const { stdout } = await box.exec('head -c 300000 /dev/zero | tr "\\0" a; printf END');
    expect(stdout.length).toBe(300_003);
    expect(stdout.endsWith('aEND')).toBe(true);
  }
});

test('of too much output the middle is left out, and it says so', async () => {
  const { stdout, truncated } = await box.exec(
    'echo begin; head -c 20000000 /dev/zero | tr "\\0" a; echo end',
  );
  expect(stdout.startsWith('begin\n')).toBe(true);
  expect(stdout.endsWith('aend\n')).toBe(true);
  expect(stdout.length).toBeLessThan(8.5 * 1024 * 1024);
  expect(truncated).toMatchObject({ stderr: 0 });
});

test('a time-out is a 408 that tells what there was, and ends every descendant', async () => {
  const command = [
    'sleep 1000 & echo $!',
    '(setsid sleep 1000 & echo $!)',
    '(env RUNTIME_COMMAND=forged sleep 1000 & echo $!)',
    '(nohup sh -c "echo \\$\\$; exec sleep 1000" &)',
    'sleep 1000',
  ].join('\n');
  const { status, body } = await box.ask('POST', '/terminals/commands', { command, timeout: 8000 });
  expect(status).toBe(408);
  expect(body).toMatchObject({ success: false, code: 'EXEC_TIMEOUT', timeoutMs: 8000 });
  const pids = (body.result.stdout as string).trim().split('\n').map(Number);
  expect(pids).toHaveLength(4);
  expect(pids.filter(isRunning)).toEqual([]);
});

test('what a command leaves in the background does not hold its answer, lives on, and ends with the box', async () => {
  const box = await startBox();
  const { stdout } = await box.exec('sh -c "while sleep 0.05; do echo tick; done" & echo $!');
  const pid = Number(stdout);
  // It prints all the while, and nobody hears it.
  expect((await box.exec('sleep 0.5')).exitCode).toBe(0);
  expect(isRunning(pid)).toBe(true);
  expect(await box.stop()).toBe(0);
  expect(isRunning(pid)).toBe(false);
});

test('what is wrong with a request is told before anything is started', async () => {
  for (const [body, field] of [
    [{}, 'command'],
    [{ command: 3 }, 'command'],
    [{ command: 'a\0b' }, 'command'],
    [{ command: 'true', cwd: 'nowhere' }, 'cwd'],
    [{ command: 'true', cwd: '/etc/passwd' }, 'cwd'],
    [{ command: 'true', env: ['A=1'] }, 'env'],
    [{ command: 'true', env: { 'A=B': '1' } }, 'env'],
    [{ command: 'true', env: { A: 1 } }, 'env'],
    [{ command: 'true', timeout: -1 }, 'timeout'],
    [{ command: 'true', timeout: '1' }, 'timeout'],
  ] as const) {
    const answer = await box.ask('POST', '/terminals/commands', body);
    expect([answer.status, answer.body.code, Object.keys(answer.body.fields)]).toEqual([
      400,
      'VALIDATION_ERROR',
      [field],
    ]);
  }
});

test('whoever clears out what is temporary takes nothing away that the next command needs', async () => {
  await box.exec('rm -rf "$TMPDIR"/.runtime-*');
  // More than are made at a time.
  for (let round = 0; round < 20; round++)
    expect((await box.exec('echo x > /dev/stderr')).stderr).toBe('x\n');
  await box.exec('for f in "$TMPDIR"/.runtime-pipes-*/*; do rm "$f"; echo text > "$f"; done');
  expect((await box.exec('echo y > /dev/stderr')).stderr).toBe('y\n');
  const pid = await box.client.spawn('echo z');
  await box.client.wait(pid);
  expect((await collect(box.client.logs(pid))).map(({ data }) => data)).toEqual(['z\n']);
});
