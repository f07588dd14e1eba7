import { readdirSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import type { Command } from '../base/command/command.ts';
import { RuntimeError, systemCode } from '../base/errors.ts';
import { makeFolders } from '../base/makeFolders.ts';
import { idFrom } from '../bot/config/idFrom.ts';
import { newBot } from './init/newBot.ts';
import type { Example } from './init/readExamples.ts';
import { agentSamples, sampleFiles, sampleOf, samples } from './init/samples.ts';

export const init: Command = {
  name: 'init',
  summary: 'create a small bot with a query that runs at once',
  positionals: 'DIR',
  options: {
    kind: { type: 'string', value: 'K', description: `${Object.keys(samples).join(', ')} (python3.11)` },
    agent: {
      type: 'boolean',
      description: `one that answers messages: ${Object.keys(agentSamples).join(', ')}`,
    },
  },
  details: `DIR is created; one that is there must be empty. Then:
  DIR/build                             makes the program, where the kind is a compiled one
  runtime execute DIR                   runs the bot
  runtime execute DIR --query /status   asks it`,
  run: async ({ positionals: [given = ''], flags, cwd, stdout }) => {
    const sample = await findSample(String(flags.kind ?? 'python3.11'), flags.agent ? agentSamples : samples);
    const directory = resolve(cwd, given);
    makeEmpty(directory);
    const files = newBot(sample, idFrom(basename(directory)));
    for (const [name, content] of Object.entries(files)) {
      const path = join(directory, name);
      makeFolders(dirname(path));
      writeFileSync(path, content, { flag: 'wx', mode: content.startsWith('#!') ? 0o777 : 0o666 });
    }
    const build = 'build' in files ? `${given}/build && ` : '';
    const until = /^type: realtime$/m.test(files['bot.yaml'] ?? '') ? '    # until Ctrl-C' : '';
    stdout.write(`made ${Object.keys(files).join(', ')}\nnow: ${build}runtime execute ${given}${until}\n`);
    return 0;
  },
};

async function findSample(kind: string, from: Readonly<Record<string, string>>): Promise<Example> {
  const name = await sampleOf(kind, from);
  if (name !== undefined) return sampleFiles(name);
  const { knownNames } = await import('../base/knownNames.ts');
  throw new RuntimeError(
    'usage',
    `no sample of ${from === agentSamples ? 'an agent of ' : ''}the kind "${kind}"`,
    {
      hint: knownNames(kind, Object.keys(from)),
    },
  );
}

function makeEmpty(directory: string): void {
  try {
    makeFolders(directory);
    if (readdirSync(directory).length === 0) return;
  } catch (error) {
    throw new RuntimeError('refused', `${directory} cannot be created (${systemCode(error)})`, {
      cause: error,
    });
  }
  throw new RuntimeError('refused', `${directory} is not empty`, {
    hint: 'name a directory that is new or empty',
  });
}
