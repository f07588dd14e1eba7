import { isObject } from '../../../bot/config/parsers.ts';
import { readSpecValue } from '../../bots/readSpec.ts';
import type { Entry } from '../source.ts';

/** What the0's services say for all bots, where a bot's document says nothing. */
export interface The0Defaults {
  /** BOT_MEMORY_LIMIT_MB */
  readonly memoryMiB: number;
  /** BOT_CPU_SHARES, of which 1,024 are a core. */
  readonly cpuShares: number;
}

/**
 * A document of `bot_runner.bots` or `bot_scheduler.bot_schedules` as a bot. What is wrong with it is in the entry, under its id
 * where it has one.
 */
export function documentToEntry(
  document: unknown,
  type: 'realtime' | 'scheduled',
  defaults: The0Defaults,
  now: number,
): { readonly name: string; readonly entry: Entry } | undefined {
  if (!isObject(document) || typeof document.id !== 'string') return undefined;
  const name = document.id;
  const origin = `${type === 'realtime' ? 'bot_runner.bots' : 'bot_scheduler.bot_schedules'} ${name}`;
  const config = isObject(document.config) ? document.config : {};
  const custom = isObject(document.custom) ? document.custom : {};
  const made = isObject(custom.config) ? custom.config : {};
  const problems: string[] = [];
  // Of the bot that it was meant for, nothing is known of what it may do with its money.
  if (document.config !== undefined && document.config !== null && !isObject(document.config))
    problems.push('config: expected an object');
  if (typeof made.type === 'string' && made.type !== type)
    problems.push(`it is written down as ${type}, and its custom bot is ${made.type}`);
  if (problems.length > 0) return { name, entry: { problems, origin } };
  const read = readSpecValue(
    {
      name,
      type,
      runtime: made.runtime,
      code: { file: custom.filePath },
      entrypoints: isObject(made.entrypoints)
        ? { bot: made.entrypoints.bot, query: made.entrypoints.query ?? null }
        : {},
      config,
      enabled: isEnabled(document.enabled) && isEnabled(config.enabled),
      // A process's own zone in the0: UTC in its images.
      ...(type === 'scheduled' ? { schedule: { cron: config.schedule } } : {}),
      resources: {
        memory: `${defaults.memoryMiB}Mi`,
        cpu: `${Math.max(1, Math.round((defaults.cpuShares * 1000) / 1024))}m`,
        ...limits(config),
      },
      // As the0: a realtime bot that ends is started again, whatever its code.
      restart: { policy: 'always' },
    },
    now,
  );
  if ('problems' in read) return { name, entry: { problems: read.problems, origin } };
  const { code, rest } = read;
  if (code === undefined || 'path' in code)
    return { name, entry: { problems: ['custom.filePath: missing'], origin } };
  return { name, entry: { spec: { ...rest, code }, origin } };
}

/** What the0's controller takes from a bot's configuration. */
function limits({ memory_limit: memory, cpu_limit: cpu }: Readonly<Record<string, unknown>>) {
  return {
    ...(typeof memory === 'string' ? { memory } : {}),
    ...(typeof cpu === 'string' ? { cpu, cpuLimit: true } : {}),
  };
}

/** As the0: missing is on; `"false"`, `"0"`, 0 and false are off. */
function isEnabled(value: unknown): boolean {
  return !(value === false || value === 0 || value === 'false' || value === '0');
}
