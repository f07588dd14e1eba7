import { join } from 'node:path';
import type { Kind, LaunchRequest } from '../kind.ts';
import { expandCommand } from './expand.ts';

export const command: Kind = {
  id: 'command',
  aliases: [],
  displayName: 'Shell command',
  description: 'A command line for /bin/sh, with the paths of inputs and outputs as placeholders.',
  status: 'stable',
  footprint: 'nothing in the image, 1 MiB at rest',
  source: ['src/bot/kinds/command/command.ts', 'src/bot/kinds/command/expand.ts'],
  entrypoint: 'text',
  startsEarly: false,
  launch(request) {
    return {
      argv: ['/bin/sh', '-c', expandCommand(request.entrypoint, placeholders(request))],
      env: {},
      cwd: request.codePath,
      control: undefined,
    };
  },
  async verify() {},
};

function placeholders({ codePath, task }: LaunchRequest): ReadonlyMap<string, string> {
  const values = new Map([['task.name', task.name]]);
  for (const { id, path } of [...task.inputs, ...task.outputs]) {
    values.set(`${id}.path`, join(codePath, path)).set(`${id}.id`, id);
  }
  return values;
}
