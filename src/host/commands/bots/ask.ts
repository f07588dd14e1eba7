import type { Command, Invocation, OptionSpec } from '../../../base/command/command.ts';
import { stopSignal } from '../../../base/command/stopSignal.ts';
import { RuntimeError } from '../../../base/errors.ts';
import { botId } from '../../../bot/config/parsers.ts';
import { type ControlClient, createControlClient } from '../../control/client.ts';
import { hostSettings, socketOf } from '../../run/hostOptions.ts';

/** What every command that asks a host takes. */
const asking: Record<string, OptionSpec> = {
  socket: {
    type: 'string',
    description: `${hostSettings.socket.variable}: the operator's socket (${hostSettings.socket.default})`,
  },
  json: { type: 'boolean', description: 'print JSON' },
};

export interface Asked {
  readonly host: ControlClient;
  readonly invocation: Invocation;
  /** Aborted by SIGTERM, SIGINT, or when whoever reads stdout has gone. */
  readonly signal: AbortSignal;
}

/** A command that asks the host on this machine. `work` resolves with the exit code, by default 0. */
export function askingCommand(
  command: Omit<Command, 'run' | 'options'> & { readonly options?: Record<string, OptionSpec> },
  // biome-ignore lint/suspicious/noConfusingVoidType: most commands have no exit code of their own
  work: (asked: Asked) => Promise<number | void>,
): Command {
  return {
    ...command,
    options: { ...command.options, ...asking },
    run: async (invocation) => {
      const signal = AbortSignal.any([stopSignal(), invocation.hangup]);
      return (await work({ host: createControlClient(socketOf(invocation)), invocation, signal })) ?? 0;
    },
  };
}

/** The path of a bot's calls. Throws `usage` for what can be no bot's id. */
export function botPath(name: string | undefined, rest = ''): string {
  if (name !== undefined && botId.parse(name) !== undefined)
    return `/bots/${encodeURIComponent(name)}${rest}`;
  throw new RuntimeError('usage', `${JSON.stringify(name)} is not a bot's id: expected ${botId.expects}`);
}
