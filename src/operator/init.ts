import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import type { Command } from '../base/command/command.ts';
import { RuntimeError, systemCode } from '../base/errors.ts';
import { idFrom } from '../bot/config/idFrom.ts';
import type { Sample } from './init/sample.ts';

const samples: Readonly<Record<string, () => Promise<Sample>>> = {
  'python3.11': async () => (await import('./init/python.ts')).python,
  nodejs20: async () => (await import('./init/nodejs.ts')).nodejs,
  command: async () => (await import('./init/command.ts')).command,
};

export const init: Command = {
  name: 'init',
  summary: 'make a small bot with a query that runs at once',
  positionals: 'DIR',
  options: {
    kind: { type: 'string', value: 'K', description: `${Object.keys(samples).join(', ')} (python3.11)` },
  },
  details: `DIR is made, or is empty. Then:
  runtime execute DIR                   runs the bot
  runtime execute DIR --query /status   asks it`,
  run: async ({ positionals: [given = ''], flags, cwd, stdout }) => {
    const sample = await findSample(String(flags.kind ?? 'python3.11'));
    const directory = resolve(cwd, given);
    makeEmpty(directory);
    const files = sample(idFrom(basename(directory)));
    for (const [name, content] of Object.entries(files))
      writeFileSync(join(directory, name), content, { flag: 'wx' });
    stdout.write(`made ${Object.keys(files).join(', ')}\nnow: runtime execute ${given}\n`);
    return 0;
  },
};

async function findSample(kind: string): Promise<Sample> {
  const load = Object.hasOwn(samples, kind) ? samples[kind] : undefined;
  if (load !== undefined) return load();
  const { knownNames } = await import('../base/knownNames.ts');
  throw new RuntimeError('usage', `no sample of the kind "${kind}"`, {
    hint: knownNames(kind, Object.keys(samples)),
  });
}

function makeEmpty(directory: string): void {
  try {
    mkdirSync(directory, { recursive: true });
    if (readdirSync(directory).length === 0) return;
  } catch (error) {
    throw new RuntimeError('refused', `${directory} cannot be made (${systemCode(error)})`, { cause: error });
  }
  throw new RuntimeError('refused', `${directory} is not empty`, {
    hint: 'name a directory that is new or empty',
  });
}
