import { open, rm } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import type { Command } from '../../base/command/command.ts';
import { transferProgress } from '../../base/command/transferProgress.ts';
import { RuntimeError, systemCode } from '../../base/errors.ts';
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
  run: (invocation) =>
    operate(invocation, async ({ context, signal }) => {
      const { exportTar } = await import('../../bot/state/read/exportTar.ts');
      const { stdout, stderr, flags, cwd } = invocation;
      const file = typeof flags.output === 'string' ? resolve(cwd, flags.output) : undefined;
      if (file === undefined && stdout.isTTY) {
        throw new RuntimeError('usage', 'an archive cannot be written to a terminal', {
          hint: 'redirect stdout, or name a file with --output',
        });
      }
      const at = sequenceOf(flags.at);
      const output = file === undefined ? stdout : await openNew(file);
      const progress = transferProgress(stderr, () => performance.now());
      const options = {
        sequence: at,
        output,
        gzip: flags.gzip === true,
        signal,
        onProgress: progress.update,
      };
      const { sequence } = await exportTar(context, options)
        .catch(async (error: unknown) => {
          if (file !== undefined) {
            output.destroy();
            // Half an archive would be taken for one.
            await rm(file, { force: true });
          }
          throw systemCode(error) === 'EPIPE' ? notTaken(error) : error;
        })
        .finally(progress.end);
      if (output !== stdout) {
        output.end();
        await finished(output);
      }
      if (flags.json) stderr.write(`${JSON.stringify({ sequence })}\n`);
      return 0;
    }),
};

const notTaken = (cause: unknown) =>
  new RuntimeError('unsaved', 'the archive is cut short: what reads it has ended', { cause });

async function openNew(file: string): Promise<Writable> {
  try {
    return (await open(file, 'wx')).createWriteStream();
  } catch (error) {
    throw new RuntimeError('refused', `${file} cannot be created (${systemCode(error)})`, {
      hint: 'name a file that is not there yet, in a directory that is',
      cause: error,
    });
  }
}
