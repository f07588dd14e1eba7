import { openBotStores } from '../../agent/roles/openBotStores.ts';
import { systemClock } from '../../base/clock.ts';
import type { Invocation, OptionSpec } from '../../base/command/command.ts';
import { stopSignal } from '../../base/command/stopSignal.ts';
import { RuntimeError } from '../../base/errors.ts';
import type { Config } from '../../bot/config/config.ts';
import { configOptions } from '../../bot/config/configOptions.ts';
import { botId } from '../../bot/config/parsers.ts';
import type { StateContext } from '../../bot/state/format/context.ts';
import { loadNamed } from '../loadNamed.ts';
import { localDirectory } from '../localDirectory.ts';

/** A state that a command works on. */
export interface Operation {
  readonly context: StateContext;
  readonly config: Config;
  /** Aborted by SIGTERM, SIGINT, or when whoever reads stdout has gone. */
  readonly signal: AbortSignal;
}

const shared = /^(store-url|minio-(endpoint|use-ssl|region|state-bucket)|start-timeout|max-state-.*|log-.*)$/;

/** What all commands on a state take. */
export function stateOptions(own: Record<string, OptionSpec>): Record<string, OptionSpec> {
  const config = Object.entries(configOptions()).filter(
    ([name]) => shared.test(name) && name !== 'logs-path',
  );
  return {
    ...own,
    json: { type: 'boolean', description: 'print JSON' },
    ...Object.fromEntries(config),
  };
}

/** Opens the state of the bot that the first positional argument names, and gives up the connections afterwards. */
export async function operate<T>(
  invocation: Invocation,
  work: (operation: Operation) => Promise<T>,
): Promise<T> {
  const [name = ''] = invocation.positionals;
  const dir = localDirectory(name, invocation);
  if (dir === undefined && botId.parse(name) === undefined)
    throw usage(`${JSON.stringify(name)} is not a bot's id: expected ${botId.expects}`);
  const { config, log } = await loadNamed(invocation, { name, dir, speaker: 'state' });
  const stores = await openBotStores(config, log);
  try {
    const context: StateContext = {
      store: await stores.open('state'),
      bot: dir === undefined ? name : config.botId,
      clock: systemClock,
      warn: (message, fields) => log.warn(message, fields),
    };
    const signal = AbortSignal.any([stopSignal(), invocation.hangup]);
    return await work({ context, config, signal });
  } finally {
    await stores.close();
  }
}

/** A snapshot's number from the command line; undefined when it was not given. */
export function sequenceOf(value: Invocation['flags'][string]): number | undefined {
  if (value === undefined) return undefined;
  if (typeof value === 'string' && /^[1-9]\d{0,14}$/.test(value)) return Number(value);
  throw usage(
    `${JSON.stringify(value)} is not a snapshot: a number such as \`runtime state ls\` shows is expected`,
  );
}

function usage(message: string): RuntimeError {
  return new RuntimeError('usage', message, { hint: 'see runtime state --help' });
}
