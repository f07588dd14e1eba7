import { expect, test } from 'vitest';
import type { Command, CommandGroup, Invocation } from '../../../../src/base/command/command.ts';
import { listCommands } from '../../../../src/operator/completion/listCommands.ts';
import { commands } from '../../../../src/programs/commands.ts';
import { invoke } from '../../../support/process/invoke.ts';

let seen: Invocation | undefined;

const restore: Command = {
  name: 'restore',
  summary: 'put a snapshot back',
  positionals: 'BOT [PATH]',
  options: {
    json: { type: 'boolean', description: 'print JSON' },
    at: { type: 'string', short: 'a', value: 'T', description: 'which' },
    only: { type: 'string', multiple: true, description: 'some' },
  },
  details: 'More.',
  run: async (invocation) => {
    seen = invocation;
    return 7;
  },
};
const ask: Command = { ...restore, name: 'ask', positionals: 'BOT [K=V…]' };
const state: CommandGroup = {
  name: 'state',
  summary: 'the history',
  commands: {
    restore: { summary: 'put a snapshot back', load: async () => restore },
    ask: { summary: 'ask', load: async () => ask },
    secret: { summary: 'internal', hidden: true, load: async () => restore },
  },
};
const root: CommandGroup = {
  name: '',
  summary: 'root',
  commands: { state: { summary: 'the history', load: async () => state } },
};

test('a command gets its flags and arguments, and its number is the exit code', async () => {
  const { code } = await invoke(
    ['state', 'restore', 'bot', '-a', '1', '--json', '--only', 'x', '--only=y', '--', '--p'],
    { root },
  );
  expect(code).toBe(7);
  expect(seen?.positionals).toEqual(['bot', '--p']);
  expect({ ...seen?.flags }).toEqual({ at: '1', json: true, only: ['x', 'y'] });
  expect(seen?.commands).toBe(root);
  expect(seen?.cwd).toBe('/');
});

test.each([
  [['stat'], 'unknown command "stat"', 'did you mean state? see runtime --help'],
  [['state', 'restor'], 'unknown command "state restor"', 'did you mean restore? see runtime state --help'],
  [['toString'], 'unknown command "toString"', 'see runtime --help'],
  [['--jsno'], 'unknown option --jsno', 'see runtime --help'],
  [['--vresion'], 'unknown option --vresion', 'did you mean --version? see runtime --help'],
  [
    ['state', 'restore', 'b', '--jsno'],
    'unknown option --jsno',
    'did you mean --json? see runtime state restore --help',
  ],
  [['state', 'restore', 'b', '-z'], "Unknown option '-z'", 'see runtime state restore --help'],
  [['state', 'restore', 'b', '--json=1'], "Option '--json' does not take an argument", undefined],
  [['state', 'restore', 'b', '--at'], "Option '-a, --at <value>' argument missing", undefined],
  [['state', 'restore'], 'missing argument: BOT [PATH]', undefined],
  [['state', 'restore', 'a', 'b', 'c'], 'unexpected argument "c"', undefined],
])('%j is 64', async (argv, message, hint) => {
  const error = await invoke(argv, { root }).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code: 'usage', exitCode: 64 });
  expect(error).toMatchObject(hint === undefined ? { message } : { message, hint });
});

test('[K=V…] takes any number of arguments', async () => {
  expect((await invoke(['state', 'ask', 'bot', 'a=1', 'b=2', 'c=3'], { root })).code).toBe(7);
});

test('--help of a command and of a group; hidden commands are not in it', async () => {
  expect(await invoke(['state', 'restore', '--help'], { root })).toEqual({
    code: 0,
    stderr: '',
    stdout: `Usage: runtime state restore [OPTIONS] BOT [PATH]

Put a snapshot back.

Options:
  --json       print JSON
  -a, --at T   which
  --only ONLY  some
  -h, --help   print this

More.

Examples:
  runtime state restore my-bot --to recovered              the newest snapshot
  runtime state restore my-bot ledger.db --at 41 --to old  one file, as it was
`,
  });
  const { stdout } = await invoke(['state', '--help'], { root });
  expect(stdout).toContain('  restore  put a snapshot back\n');
  expect(stdout).not.toContain('internal');
});

test.each([['help'], ['help', 'state'], ['state', 'help', 'restore']])(
  '%j %j %j is --help',
  async (...argv) => {
    const asked = await invoke(argv, { root });
    const meant = await invoke([...argv.filter((word) => word !== 'help'), '--help'], { root });
    expect(asked).toEqual({ ...meant, code: 0 });
  },
);

test('no command at all prints the help to stderr and is 64', async () => {
  expect(await invoke(['state'], { root })).toMatchObject({
    code: 64,
    stdout: '',
    stderr: expect.any(String),
  });
});

test('every command of the binary has help, and a summary of one line', async () => {
  for (const { path } of await listCommands(commands)) {
    const { code, stdout } = await invoke([...path.split(' '), '--help'].filter(Boolean));
    expect(code).toBe(0);
    expect(stdout).toContain(`Usage: ${`runtime ${path}`.trim()}`);
  }
});

test('a command with commands below it runs by itself, too; its help and completion name them', async () => {
  const serve: Command = {
    ...restore,
    name: 'serve',
    positionals: '',
    below: { state: { summary: 'the history', load: async () => state } },
  };
  const both: CommandGroup = {
    name: '',
    summary: 'root',
    commands: { serve: { summary: 'serve', load: async () => serve } },
  };
  expect((await invoke(['serve', '--json'], { root: both })).code).toBe(7);
  expect((await invoke(['serve', 'state', 'restore', 'b'], { root: both })).code).toBe(7);
  expect(seen?.positionals).toEqual(['b']);
  await expect(invoke(['serve', 'stat'], { root: both })).rejects.toMatchObject({ exitCode: 64 });
  expect((await invoke(['serve', '--help'], { root: both })).stdout).toContain('state  the history');
  expect((await listCommands(both)).map(({ path }) => path)).toContain('serve state restore');
});
