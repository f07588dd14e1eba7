import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { executable, startProgram } from '../support/process/executable.ts';
import { type Supervised, supervised } from '../support/process/supervised.ts';
import { shipped } from '../support/store/shipped.ts';

/** The runtime as a shell starts it in surroundings of its own. */
function within(bot: Supervised, shell: string, env: Record<string, string> = {}, cwd?: string) {
  return startProgram(['/bin/sh', '-c', shell, executable], { ...bot.env, ...env }, cwd);
}

test('standard input, output and error are closed: the bot has all three, and nothing is lost', async () => {
  const bot = await supervised(
    '[ -e /proc/self/fd/0 ] && [ -e /proc/self/fd/1 ] && [ -e /proc/self/fd/2 ] || exit 7; cat; echo said; echo more >&2; echo kept > f',
  );
  const end = await within(bot, 'exec "$0" execute <&- >&- 2>&-').finished;
  expect(end.code).toBe(0);
  expect(await bot.exitRecord()).toMatchObject({ exit: 0, stateSaved: true, logsSaved: true });
  expect((await shipped(bot.env.BOT_ID!)).map(({ message }) => message).toSorted()).toEqual(['more', 'said']);
  expect(await bot.saved('cat f')).toBe('kept\n');
});

test('64 descriptors, 256 KiB of stack, a umask that allows nothing: 100 folders are saved and restored', async () => {
  const bot = await supervised(
    'ulimit -n; umask; for i in $(seq 100); do mkdir -m 755 d$i; echo $i > d$i/f; done',
  );
  const end = await within(bot, 'ulimit -n 64; ulimit -s 256; umask 0777; exec "$0" execute').finished;
  expect(end, end.stderr).toMatchObject({ code: 0, stdout: '64\n0777\n' });
  expect(await bot.saved('find . -name f | wc -l; stat -c %a d7/f; stat -c %a d7')).toBe('100\n0\n755\n');
});

test('fewer descriptors than the runtime needs itself: refused, with what to do, before anything is started', async () => {
  const bot = await supervised('echo ran');
  // As in the image: where logs would be, `exit.json` says how it ended.
  await mkdir(dirname(bot.env.LOGS_PATH!), { recursive: true });
  const end = await within(bot, 'ulimit -n 24; exec "$0" execute').finished;
  expect(end).toMatchObject({ code: 78, stdout: '' });
  expect(end.stderr).toContain('24 open files are allowed');
  expect(end.stderr).toContain('--ulimit nofile');
  expect(await bot.exitRecord()).toMatchObject({ source: 'runtime', exit: 78 });
});

test('no PATH, and a working directory that is gone', async () => {
  const bot = await supervised('command -v cat >found && pwd; echo kept > f');
  const gone = join(bot.container.root, 'gone');
  await mkdir(gone);
  await using _ = { [Symbol.asyncDispose]: () => rm(gone, { recursive: true, force: true }) };
  const end = await within(bot, `rmdir ${gone}; unset PATH; exec "$0" execute`, {}, gone).finished;
  expect(end, end.stderr).toMatchObject({ code: 0, stdout: `${bot.env.STATE_PATH}\n` });
  expect(await bot.saved('cat f')).toBe('kept\n');
});

test.each(['>/dev/full', '2>/dev/full', '>/dev/full 2>&1'])(
  'output that cannot be written (%s) costs that, and nothing else',
  async (to) => {
    const bot = await supervised('echo said; echo more >&2; sleep 1; echo again; echo kept > f; exit 3');
    const end = await within(bot, `exec "$0" execute ${to}`).finished;
    expect(end.code).toBe(3);
    expect(await bot.exitRecord()).toMatchObject({
      source: 'bot',
      exit: 3,
      stateSaved: true,
      logsSaved: true,
    });
    expect((await shipped(bot.env.BOT_ID!)).map(({ message }) => message)).toEqual(
      expect.arrayContaining(['said', 'more', 'again']),
    );
    expect(await bot.saved('cat f')).toBe('kept\n');
  },
);

test('whoever writes a file onto a full disk is told, and so is a script', async () => {
  const end = await startProgram(['/bin/sh', '-c', '"$0" kinds --json >/dev/full', executable], {}).finished;
  expect(end.code).toBe(70);
  expect(end.stderr).toContain('ENOSPC');
});

test('the reader of standard output goes away: the bot runs on, and what it says is kept', async () => {
  const bot = await supervised(
    'echo first; while [ ! -e go ]; do sleep 0.05; done; for i in 1 2 3; do echo "line $i"; sleep 0.05; done; echo kept > f; exit 4',
  );
  const run = bot.start();
  await run.prints('first\n');
  run.child.stdout!.destroy();
  await writeFile(join(bot.env.STATE_PATH!, 'go'), '');
  expect((await run.finished).code).toBe(4);
  expect(await bot.exitRecord()).toMatchObject({ source: 'bot', code: 4, exit: 4, logsSaved: true });
  expect((await shipped(bot.env.BOT_ID!)).map(({ message }) => message)).toEqual([
    'first',
    'line 1',
    'line 2',
    'line 3',
  ]);
  expect(await bot.saved('cat f')).toBe('kept\n');
});

test.each([
  ['kill -SEGV $$', { code: null, signal: 'SIGSEGV', exit: 139 }],
  ['trap "" HUP; kill -TERM 0; sleep 9', { code: null, signal: 'SIGTERM', exit: 143 }],
  ['exit 256', { code: 0, signal: null, exit: 0 }],
  ['(sleep 9 &); kill -KILL $$', { code: null, signal: 'SIGKILL', exit: 137 }],
])('a bot that ends with `%s` ends as it did, saved', async (script, record) => {
  const bot = await supervised(`echo kept > f; ${script}`);
  expect((await bot.start().finished).code).toBe(record.exit);
  expect(await bot.exitRecord()).toMatchObject({ source: 'bot', ...record, stateSaved: true });
  expect(await bot.saved('cat f')).toBe('kept\n');
});
