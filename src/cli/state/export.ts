import { createWriteStream } from 'node:fs';
import { resolve } from 'node:path';
import { finished } from 'node:stream/promises';
import { RuntimeError } from '../../errors.ts';
import type { Command } from '../command.ts';
import { operate, sequenceOf, stateOptions } from './operate.ts';

export const exportState: Command = {
  name: 'export',
  summary: 'a snapshot as a tar archive',
  positionals: 'BOT',
  options: stateOptions({
    at: { type: 'string', value: 'SEQUENCE', description: 'which snapshot; by default the newest' },
    output: { type: 'string', short: 'o', value: 'FILE', description: 'a new file; by default stdout' },
    gzip: { type: 'boolean', short: 'z', description: 'compress it' },
  }),
  details: 'Example: runtime state export my-bot --gzip > state.tar.gz',
  run: (invocation) =>
    operate(invocation, async ({ context, signal }) => {
      const { exportTar } = await import('../../state/exportTar.ts');
      const { stdout, stderr, flags, cwd } = invocation;
      const file = typeof flags.output === 'string' ? resolve(cwd, flags.output) : undefined;
      if (file === undefined && stdout.isTTY) {
        throw new RuntimeError('usage', 'an archive is nothing for a terminal', {
          hint: 'redirect stdout, or name a file with --output',
        });
      }
      const output = file === undefined ? stdout : createWriteStream(file, { flags: 'wx' });
      const { sequence } = await exportTar(context, {
        sequence: sequenceOf(flags.at),
        output,
        gzip: flags.gzip === true,
        signal,
      });
      if (output !== stdout) {
        output.end();
        await finished(output);
      }
      if (flags.json) stderr.write(`${JSON.stringify({ sequence })}\n`);
      return 0;
    }),
};
