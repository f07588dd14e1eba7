import type { Invocation, OptionSpec } from '../../base/command/command.ts';
import { RuntimeError } from '../../base/errors.ts';
import type { Parser } from '../../bot/config/parser.ts';
import { flag } from '../../bot/config/parsers.ts';

/** One setting of a host: `--bots`, else `RUNTIME_HOST_BOTS`, else its default. */
export interface Setting<T> {
  readonly variable: string;
  readonly parser: Parser<T>;
  readonly default: string;
  readonly meaning: string;
}

export type Settings = Readonly<Record<string, Setting<unknown>>>;

export type Values<S extends Settings> = {
  readonly [Name in keyof S]: S[Name] extends Setting<infer T> ? T : never;
};

export const setting = <T>(
  variable: string,
  parser: Parser<T>,
  usual: string,
  meaning: string,
): Setting<T> => ({ variable, parser, default: usual, meaning });

/** The flags of these settings, for a command. */
export function settingSpecs(settings: Settings): Record<string, OptionSpec> {
  return Object.fromEntries(
    Object.entries(settings).map(([name, { variable, meaning, parser, default: usual }]) => [
      name,
      {
        type: parser === flag ? ('boolean' as const) : ('string' as const),
        description: `${variable}: ${meaning}${usual === '' ? '' : ` (${usual})`}`,
      },
    ]),
  );
}

/** Flags beat variables beat defaults; one `config` error with every problem. `what` cannot be started with those. */
export function readSettings<S extends Settings>(
  settings: S,
  { flags, env }: Pick<Invocation, 'flags' | 'env'>,
  what: string,
): Values<S> {
  const problems: string[] = [];
  const values: Record<string, unknown> = {};
  for (const [name, { variable, parser, default: usual }] of Object.entries(settings)) {
    const given = flags[name];
    const text = given === undefined ? env[variable] || usual : String(given);
    const value = parser.parse(text);
    if (value === undefined)
      problems.push(
        `${given === undefined ? variable : `--${name}`}=${JSON.stringify(text)}, expected ${parser.expects}`,
      );
    values[name] = value;
  }
  if (problems.length > 0) throw new RuntimeError('config', `${what} cannot be started so:`, { problems });
  return values as Values<S>;
}
