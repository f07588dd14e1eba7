import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { RuntimeError } from '../../../base/errors.ts';
import { askingCommand } from './ask.ts';

export const apply = askingCommand(
  { name: 'apply', summary: "write bots' files to the source", positionals: 'FILE…' },
  async ({ host, invocation }) => {
    const { positionals, cwd, stdout, flags } = invocation;
    for (const file of positionals) {
      const { name } = await host.send<{ name: string }>('POST', '/bots', read(resolve(cwd, file)));
      stdout.write(
        flags.json ? `${JSON.stringify({ name, file })}\n` : `${name} is wanted as ${file} says\n`,
      );
    }
  },
);

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new RuntimeError('not-found', `${path} cannot be read: ${(error as Error).message}`, { path });
  }
}
