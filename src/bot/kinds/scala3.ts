import { join } from 'node:path';
import { RuntimeError } from '../../base/errors.ts';
import { BUILT, checkRelative, resolveEntrypoint } from './entrypoint.ts';
import type { Kind } from './kind.ts';
import { launchArgs } from './task/launchArgs.ts';

export const scala3: Kind = {
  id: 'scala3',
  aliases: [],
  displayName: 'Scala 3',
  description: 'A jar with its main class in the manifest (app.jar), or named (app.jar:Main).',
  status: 'stable',
  footprint: '190 MB in the image (Java 17), 18 MiB at rest',
  source: ['src/bot/kinds/scala3.ts'],
  entrypoint: 'file',
  startsEarly: false,
  async launch(request) {
    const { jar, main } = parts(request.entrypoint);
    const path = join(request.codePath, jar);
    return {
      argv: [
        ...(main === undefined ? ['java', '-jar', path] : ['java', '-cp', path, main]),
        ...launchArgs(request),
      ],
      env: {},
      cwd: request.codePath,
      control: undefined,
    };
  },
  async verify(request) {
    await resolveEntrypoint(request.codePath, parts(request.entrypoint).jar, BUILT);
  },
};

function parts(entrypoint: string): { jar: string; main: string | undefined } {
  const [, jar = entrypoint, main] = /^(.*\.jar)(?::(.*))?$/s.exec(entrypoint) ?? [];
  checkRelative(jar);
  if (main !== undefined && !/^[\p{L}_$][\p{L}\p{N}_$.]*$/u.test(main)) {
    throw new RuntimeError(
      'config',
      `entrypoint ${JSON.stringify(entrypoint)} does not name a class after its colon`,
      {
        path: entrypoint,
        hint: 'Write app.jar, or app.jar:Main.',
      },
    );
  }
  return { jar, main };
}
