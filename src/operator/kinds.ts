import { resolve } from 'node:path';
import type { Command } from '../base/command/command.ts';
import { RuntimeError } from '../base/errors.ts';
import { catalog } from '../bot/kinds/catalog.ts';
import { loadKinds } from '../bot/kinds/registry.ts';
import { lines, markdown, table } from './kinds/print.ts';

export const kinds: Command = {
  name: 'kinds',
  summary: 'List the kinds of bots that can be run',
  positionals: '[lock] [FILE] [MORE…]',
  options: {
    json: { type: 'boolean', description: 'print a JSON array' },
    markdown: { type: 'boolean', description: 'print a table for Markdown' },
    schema: { type: 'boolean', description: 'print the JSON schema of a manifest, for editors' },
  },
  details: `KINDS_PATH (/etc/runtime/kinds.d) holds the manifests of further kinds; see docs/kinds.md. What is wrong with one goes to stderr.

runtime kinds lock FILE [MORE…]   keeps the checksums of a manifest, and of MORE files that it needs, beside it`,
  async run({ env, flags, positionals, cwd, stdout, stderr }) {
    const [action, file, ...more] = positionals;
    if (action !== undefined) {
      if (action !== 'lock' || file === undefined) {
        throw new RuntimeError(
          'usage',
          `kinds takes no ${action === 'lock' ? 'lock without FILE' : action}`,
          {
            hint: 'runtime kinds lock FILE',
          },
        );
      }
      const { writeLock } = await import('./kinds/writeLock.ts');
      stdout.write(
        `${await writeLock(
          resolve(cwd, file),
          more.map((name) => resolve(cwd, name)),
        )}\n`,
      );
      return 0;
    }
    if (flags.schema) {
      const { manifestJsonSchema } = await import('./kinds/manifestJsonSchema.ts');
      stdout.write(`${JSON.stringify(manifestJsonSchema(), null, 2)}\n`);
      return 0;
    }
    const { all, broken } = await loadKinds({
      manifestsDir: env.KINDS_PATH || '/etc/runtime/kinds.d',
      allowExperimental: true,
    });
    const entries = catalog(all());
    if (flags.json) stdout.write(`${JSON.stringify(entries, null, 2)}\n`);
    else if (flags.markdown) stdout.write(markdown(entries));
    else if (stdout.isTTY) stdout.write(table(entries, stdout.columns || undefined));
    else stdout.write(lines(entries));
    for (const problem of broken.flatMap(({ problems }) => problems)) stderr.write(`${problem}\n`);
    return 0;
  },
};
