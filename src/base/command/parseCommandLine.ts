import { type ParseArgsOptionsConfig, parseArgs } from 'node:util';
import { systemCode } from '../errors.ts';
import type { Command, Invocation } from './command.ts';
import { type Explain, HandOver } from './explain.ts';

type Given = Pick<Invocation, 'positionals' | 'flags'> & { readonly help: boolean };

/** Flags and positional arguments as `command` declares them. Throws `usage` (64) for anything else, or `HandOver`. */
export function parseCommandLine(
  command: Command,
  path: readonly string[],
  argv: readonly string[],
  explain: Explain | undefined,
): Given {
  const options: ParseArgsOptionsConfig = { help: { type: 'boolean', short: 'h' } };
  for (const [name, { type, short, multiple }] of Object.entries(command.options)) {
    options[name] = { type, ...(short === undefined ? {} : { short }), ...(multiple ? { multiple } : {}) };
  }
  try {
    const { values, positionals } = parseArgs({ args: [...argv], options, allowPositionals: true });
    const { help, ...flags } = values as Record<string, string | boolean | string[] | undefined>;
    if (help === true) return { help: true, positionals, flags };
    const { atLeast, atMost } = arity(command.positionals);
    if (positionals.length < atLeast || positionals.length > atMost) {
      throw explain?.wrongPositionals(command, path, positionals, atMost) ?? new HandOver();
    }
    return { help: false, positionals, flags };
  } catch (error) {
    if (!systemCode(error)?.startsWith('ERR_PARSE_ARGS')) throw error;
    throw explain?.wrongFlag(command, path, argv, error as Error) ?? new HandOver();
  }
}

/** `BOT [PATH]` → 1 and 2; `[K=V…]` → 0 and any number. */
function arity(positionals: string): { atLeast: number; atMost: number } {
  const words = positionals.split(' ').filter((word) => word !== '');
  return {
    atLeast: words.filter((word) => !word.startsWith('[')).length,
    atMost: positionals.includes('…') ? Number.POSITIVE_INFINITY : words.length,
  };
}
