import { expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../../../src/base/clock.ts';
import { execute } from '../../../../src/box/commands/execute.ts';
import { createPipePool } from '../../../../src/box/commands/pipePool.ts';
import { createStarter } from '../../../../src/box/commands/starter.ts';

const clock = systemClock;

function starterWith(mkfifo: string) {
  const pipes = createPipePool(mkfifo);
  onTestFinished(() => pipes.close());
  return createStarter(pipes, clock);
}

const run = (starter: ReturnType<typeof createStarter>, command: string) =>
  execute({
    words: { argv: ['/bin/sh', '-c', command] },
    cwd: '/',
    env: { PATH: process.env.PATH! },
    timeoutMs: undefined,
    keptBytes: 1024 * 1024,
    clock,
    starter,
  });

test('where there is no mkfifo(1), all that is printed comes back all the same', async () => {
  const starter = starterWith('no-such-mkfifo');
  const { stdout, stderr } = await run(
    starter,
    'head -c 500000 /dev/zero | tr "\\0" a; echo err >&2; sleep 1000 &',
  );
  expect([stdout.length, stderr]).toEqual([500_000, 'err\n']);
  // The control: what is no pipe cannot be opened by name.
  expect((await run(starter, 'echo x > /dev/stderr')).exitCode).not.toBe(0);
  expect((await run(starterWith('mkfifo'), 'echo x > /dev/stderr')).stderr).toBe('x\n');
  await starter.end();
});

test('once the end has begun nothing is started', async () => {
  const starter = starterWith('mkfifo');
  await starter.end();
  await expect(run(starter, 'true')).rejects.toMatchObject({ status: 503, code: 'STOPPING' });
});
