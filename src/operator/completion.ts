import type { Command } from '../base/command/command.ts';
import { RuntimeError } from '../base/errors.ts';
import { knownNames } from '../base/knownNames.ts';
import { listCommands } from './completion/listCommands.ts';

const scripts = {
  bash: async () => (await import('./completion/bash.ts')).bash,
  zsh: async () => (await import('./completion/zsh.ts')).zsh,
  fish: async () => (await import('./completion/fish.ts')).fish,
} as const;

export const completion: Command = {
  name: 'completion',
  summary: 'print a script that completes commands and flags in a shell',
  positionals: 'bash|zsh|fish',
  options: {},
  details: `Put it where the shell finds it:
  bash  runtime completion bash > /etc/bash_completion.d/runtime
  zsh   runtime completion zsh > "\${fpath[1]}/_runtime"
  fish  runtime completion fish > ~/.config/fish/completions/runtime.fish`,
  run: async ({ positionals: [shell = ''], commands, stdout }) => {
    if (!Object.hasOwn(scripts, shell)) {
      throw new RuntimeError('usage', `unknown shell "${shell}"`, {
        hint: knownNames(shell, Object.keys(scripts)),
      });
    }
    const script = await scripts[shell as keyof typeof scripts]();
    stdout.write(script(await listCommands(commands)));
    return 0;
  },
};
