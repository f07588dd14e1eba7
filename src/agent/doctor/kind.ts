import { execFile } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { RuntimeError } from '../../base/errors.ts';
import { fail, ok } from '../../base/finding.ts';
import { botRequest } from '../../bot/kinds/botRequest.ts';
import type { Kind } from '../../bot/kinds/kind.ts';
import type { Check } from './check.ts';

const VERSION_MS = 10_000;

/** The kind accepts the task, and what it runs bots with is installed. */
export const kind: Check = {
  name: 'kind',
  async run({ config, kind, env, inPlace }) {
    const { argv, wrapped = 0 } = await kind.launch(botRequest(config));
    const [wrapper = ''] = argv;
    if (wrapped > 0 && find(wrapper, env.PATH ?? '') === undefined) {
      const error = new RuntimeError('no-entrypoint', `the bot is run by ${wrapper}, which is not in PATH`, {
        hint: 'WRAP, or `wrap:` in bot.yaml or in the manifest of the kind, names it.',
      });
      return [fail('kind', error)];
    }
    const program = argv[wrapped] ?? '';
    if (program.startsWith(`${config.paths.code}/`)) {
      return [ok('kind', `${kind.id}: the program comes with the code`)];
    }
    const path = find(program, env.PATH ?? '');
    if (path !== undefined) return [ok('kind', `${kind.id}: ${path}${await version(path)}`)];
    return [fail('kind', missing(kind, program, candidates(program, env.PATH ?? '').find(isThere), inPlace))];
  },
};

/** As a start: what is in PATH and cannot be run is another thing than nothing. */
function missing(
  { id, footprint }: Kind,
  program: string,
  unfit: string | undefined,
  inPlace: boolean,
): RuntimeError {
  const remedy = inPlace
    ? 'Install it, or name its folder in PATH'
    : `Use an image that has it: ${footprint}`;
  if (unfit === undefined) {
    return new RuntimeError('no-entrypoint', `${id} needs ${program}, which is not in PATH`, {
      hint: `${remedy}.`,
    });
  }
  const what = statSync(unfit).isFile() ? 'is not executable' : 'is not a file';
  return new RuntimeError('not-executable', `${id} needs ${program}, and ${unfit} ${what}`, {
    hint: `${remedy}; or take that out of PATH.`,
  });
}

function find(program: string, path: string): string | undefined {
  return candidates(program, path).find(isExecutable);
}

function candidates(program: string, path: string): readonly string[] {
  return program.includes('/') ? [program] : path.split(delimiter).map((dir) => join(dir, program));
}

function isThere(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** What it says of itself; empty for programs that do not know the question. A shell would run it as a command. */
async function version(path: string): Promise<string> {
  if (path.endsWith('/sh')) return '';
  const env = { PATH: '/usr/local/bin:/usr/bin:/bin' };
  return promisify(execFile)(path, ['--version'], { timeout: VERSION_MS, env }).then(
    ({ stdout, stderr }) => `, ${(stdout || stderr).split('\n', 1)[0]?.trim()}`,
    () => '',
  );
}
