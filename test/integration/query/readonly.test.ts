import { execFileSync, spawn } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  lutimesSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { programUser } from '../../../src/agent/query/program/programUser.ts';
import { readonlyWrapper } from '../../../src/agent/query/program/readonlyWrapper.ts';
import { spawnProgram } from '../../../src/agent/query/program/spawnProgram.ts';
import { readonlyHelper } from '../../support/process/readonlyHelper.ts';

const BOT = { uid: 54321, gid: 54321 };
const isRoot = process.getuid?.() === 0;

let dir: string;
let helper: string;
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'runtime-readonly-'));
  chmodSync(dir, 0o755);
  helper = await readonlyHelper(dir);
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** Tries everything that could change the state, and says what it got away with. */
const ATTACK = `
import os, sys
state, outside, bot = sys.argv[1:]
file = state + '/file'

def attempt(name, action):
    try:
        action()
        print(name)
    except OSError as error:
        pass

assert open(file).read() == 'precious'
attempt('overwrite', lambda: open(file, 'w').write('x'))
attempt('append', lambda: open(file, 'a').write('x'))
attempt('truncate', lambda: os.truncate(file, 0))
attempt('truncate on open', lambda: os.open(file, os.O_RDONLY | os.O_TRUNC))
attempt('create', lambda: open(state + '/new', 'w').write('x'))
attempt('mkdir', lambda: os.mkdir(state + '/new'))
attempt('symlink', lambda: os.symlink('/', state + '/new'))
attempt('fifo', lambda: os.mkfifo(state + '/new'))
attempt('rename', lambda: os.rename(file, state + '/new'))
attempt('rename away', lambda: os.rename(file, outside + '/new'))
attempt('rename in', lambda: os.rename(outside + '/own', state + '/own'))
attempt('rename the state', lambda: os.rename(state, state + '2'))
attempt('link away', lambda: (os.link(file, outside + '/link'), open(outside + '/link', 'w').write('x')))
attempt('unlink', lambda: os.unlink(file))
attempt('rmdir', lambda: os.rmdir(state + '/empty'))
attempt('chmod', lambda: os.chmod(file, 0o777))
attempt('chmod by descriptor', lambda: os.fchmod(os.open(file, os.O_RDONLY), 0o777))
attempt('chown', lambda: os.chown(file, os.getuid(), os.getgid()))
attempt('utime', lambda: os.utime(file, (1, 1)))
attempt('utime now', lambda: os.utime(file))
attempt('utime of the directory', lambda: os.utime(state, (1, 1)))
attempt('setxattr', lambda: os.setxattr(file, 'user.x', b'x'))
attempt('through /proc', lambda: open('/proc/self/root' + file, 'w').write('x'))
attempt('signal the bot', lambda: os.kill(int(bot), 0))
attempt('read the memory of the bot', lambda: open('/proc/' + bot + '/mem', 'rb'))
open(outside + '/allowed', 'w').write('x')
print('done')
`;

function makeState(): { state: string; outside: string } {
  const place = mkdtempSync(join(dir, 'case-'));
  const [state, outside] = [join(place, 'state'), join(place, 'outside')];
  mkdirSync(join(state, 'empty'), { recursive: true });
  mkdirSync(outside);
  writeFileSync(join(state, 'file'), 'precious');
  writeFileSync(join(outside, 'own'), 'x');
  chmodSync(place, 0o755);
  chmodSync(outside, 0o777);
  chmodSync(join(outside, 'own'), 0o666);
  // The group may write: only Landlock keeps a program of the bot's group from it.
  chmodSync(join(state, 'file'), 0o664);
  chmodSync(state, 0o775);
  if (isRoot)
    for (const path of [state, join(state, 'empty'), join(state, 'file')]) chownSync(path, BOT.uid, BOT.gid);
  for (const path of [join(state, 'empty'), join(state, 'file'), state]) lutimesSync(path, 1000, 1000);
  return { state, outside };
}

function picture(state: string) {
  const names = ['.', ...readdirSync(state)].sort();
  return names.map((name) => {
    const { mode, mtimeMs, size, uid, ino } = statSync(join(state, name));
    return { name, mode, mtimeMs, size: name === '.' ? 0 : size, uid, ino };
  });
}

interface Protection {
  readonly wrapper: readonly string[];
  readonly user: { readonly uid: number; readonly gid: number } | undefined;
}

async function attack(state: string, outside: string, { wrapper, user }: Protection): Promise<string[]> {
  const bot = spawn('sleep', ['60'], isRoot ? BOT : {});
  const output = new PassThrough();
  const program = spawnProgram(
    {
      argv: [...wrapper, '/usr/bin/python3', '-c', ATTACK, state, outside, String(bot.pid)],
      env: { PATH: process.env.PATH ?? '' },
      cwd: '/',
      control: undefined,
      user,
    },
    {},
    output,
  );
  await program.exited;
  bot.kill('SIGKILL');
  output.end();
  return (await text(output)).trim().split('\n');
}

const hasLandlock = () => execFileSync(helper, ['--check']).toString().trim() !== '0';

test('the attack works where nothing protects the state', async () => {
  const { state, outside } = makeState();
  const done = await attack(state, outside, { wrapper: [], user: isRoot ? BOT : undefined });
  expect(done).toEqual(
    expect.arrayContaining(['overwrite', 'rename', 'rename in', 'signal the bot', 'done']),
  );
});

test('as the same user the helper alone keeps the state as it is', async (context) => {
  if (!hasLandlock()) context.skip('the kernel has no Landlock');
  const { state, outside } = makeState();
  const before = picture(state);
  const { argv: wrapper } = await readonlyWrapper(state, [helper]);
  expect(await attack(state, outside, { wrapper, user: isRoot ? BOT : undefined })).toEqual(['done']);
  expect(picture(state)).toEqual(before);
});

test('where there is no Landlock another user keeps the state as it is', async (context) => {
  if (!isRoot) context.skip('needs root');
  const { state, outside } = makeState();
  const before = picture(state);
  expect(await attack(state, outside, { wrapper: [], user: programUser(BOT, false) })).toEqual(['done']);
  expect(picture(state)).toEqual(before);
});

test('with both, files that only the group may read are seen', async (context) => {
  if (!isRoot || !hasLandlock()) context.skip('needs root and Landlock');
  const { state, outside } = makeState();
  chmodSync(join(state, 'file'), 0o660);
  const before = picture(state);
  const { argv: wrapper, landlock } = await readonlyWrapper(state, [helper]);
  expect(await attack(state, outside, { wrapper, user: programUser(BOT, landlock) })).toEqual(['done']);
  expect(picture(state)).toEqual(before);
});

test('without the helper there is no wrapper', async () => {
  expect(await readonlyWrapper('/state', [join(dir, 'none')])).toEqual({ argv: [], landlock: false });
});

test('a wrapped program dies with whoever started it', async () => {
  const parent = spawn(process.execPath, [
    '-e',
    `const child = require('child_process').spawn(${JSON.stringify(helper)}, ['/nowhere', '--', 'sleep', '60'], { detached: true });
     console.log(child.pid); setInterval(() => {}, 1000);`,
  ]);
  const pid = Number(await new Promise((resolve) => parent.stdout.once('data', resolve)));
  expect(() => process.kill(pid, 0)).not.toThrow();
  // Until the helper has asked for it and become the program.
  while (
    !execFileSync('cat', [`/proc/${pid}/cmdline`])
      .toString()
      .startsWith('sleep')
  )
    await new Promise(setImmediate);
  parent.kill('SIGKILL');
  for (;;) {
    const status = await import('node:fs/promises').then((fs) =>
      fs.readFile(`/proc/${pid}/stat`, 'utf8').catch(() => 'gone'),
    );
    if (status === 'gone' || status.includes(') Z ')) break;
  }
});
