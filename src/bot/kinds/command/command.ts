import type { Kind } from '../kind.ts';
import { launchArgs } from '../task/launchArgs.ts';
import { placeholders } from '../task/placeholders.ts';
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
  async launch(request) {
    const args = launchArgs(request);
    return {
      // What follows the command are `$0`, as the shell would have it by itself, and `$1` and on.
      argv: [
        '/bin/sh',
        '-c',
        expandCommand(request.entrypoint, placeholders(request)),
        ...(args.length > 0 ? ['/bin/sh', ...args] : []),
      ],
      env: {},
      cwd: request.codePath,
      control: undefined,
    };
  },
  async verify() {},
};
