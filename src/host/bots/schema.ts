import * as v from 'valibot';
import { botFields } from '../../bot/config/botFields.ts';
import { parseDuration } from '../../bot/config/duration.ts';
import type { Parser } from '../../bot/config/parser.ts';
import { botId, insidePath, objectKey, sha256 } from '../../bot/config/parsers.ts';
import { isReserved } from './isReserved.ts';

/** A value as another part of the runtime reads it from text. */
function parsed<T>(parser: Parser<T>) {
  return v.pipe(
    v.union([v.string(), v.number(), v.boolean()], `expected ${parser.expects}`),
    v.transform(String),
    v.check((text) => parser.parse(text) !== undefined, `expected ${parser.expects}`),
    v.transform((text) => parser.parse(text) as T),
  );
}

const durationText: Parser<number> = {
  expects: 'a duration such as 30s, 5m, 6h or 1d, or 0',
  parse: (text) => {
    if (text === '0') return 0;
    const [, days] = /^(\d{1,2})d$/.exec(text) ?? [];
    return days === undefined ? parseDuration(text) : Number(days) * 86_400_000;
  },
};

const units: Record<string, number> = {
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
};

const bytes: Parser<number> = {
  expects: 'a size such as 512Mi or 2Gi, at least 6Mi',
  parse: (text) => {
    const [, digits = '', unit = ''] = /^(\d{1,15}(?:\.\d{1,3})?)(|k|M|G|T|Ki|Mi|Gi|Ti)$/.exec(text) ?? [];
    const size = Math.floor(Number(digits || Number.NaN) * units[unit]!);
    return size >= 6 * 2 ** 20 && size <= 2 ** 50 ? size : undefined;
  },
};

/** Thousandths of a core. */
const cpu: Parser<number> = {
  expects: 'cores such as 500m or 1.5',
  parse: (text) => {
    const [, digits = '', milli = ''] = /^(\d{1,6}(?:\.\d{1,3})?)(m?)$/.exec(text) ?? [];
    const millis = Math.round(Number(digits || Number.NaN) * (milli === 'm' ? 1 : 1000));
    return millis >= 1 && millis <= 1_024_000 ? millis : undefined;
  },
};

/** `1s..5m` */
const range: Parser<{ first: number; longest: number }> = {
  expects: 'two durations such as 1s..5m',
  parse: (text) => {
    const [first, longest, more] = text.split('..').map((part) => durationText.parse(part));
    const sound =
      first !== undefined && longest !== undefined && more === undefined && 0 < first && first <= longest;
    return sound ? { first, longest } : undefined;
  },
};

const cidr: Parser<string> = {
  expects: 'a network such as 203.0.113.0/24',
  parse: (text) => {
    const parts = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\/(\d{1,2})$/.exec(text)?.slice(1).map(Number);
    return parts?.every((part, index) => part <= (index === 4 ? 32 : 255)) ? text : undefined;
  },
};

const secretName: Parser<string> = {
  expects: 'the name of a secret: letters, digits, ".", "_" or "-"',
  parse: (text) => (/^(?!\.{1,2}$)[A-Za-z0-9._-]{1,128}$/.test(text) ? text : undefined),
};

const environment = v.record(
  v.pipe(
    v.string(),
    v.regex(/^[A-Za-z_][A-Za-z0-9_]{0,127}$/, 'is not a name of a variable'),
    v.check((name) => !isReserved(name), 'is set by the runtime'),
  ),
  parsed<string>({
    expects: 'a text of at most 32 KiB',
    parse: (text) => (text.length <= 32_768 ? text : undefined),
  }),
);

const text = v.pipe(v.string(), v.nonEmpty(), v.maxLength(65_536));
const optional = <S extends v.GenericSchema>(schema: S) => v.nullish(schema);

/** A bot's file, as `docs/hosts.md` describes it: the bot's own bot.yaml with what a host adds. */
export const botSchema = v.strictObject({
  name: parsed(botId),
  type: v.picklist(['realtime', 'scheduled']),
  runtime: v.pipe(parsed<string>({ expects: 'a text', parse: (one) => one }), v.nonEmpty()),
  code: optional(
    v.union(
      [
        v.strictObject({ file: parsed(objectKey), sha256: optional(parsed(sha256)) }),
        v.strictObject({ path: v.pipe(v.string(), v.nonEmpty(), v.maxLength(4096)) }),
      ],
      'expected {file: KEY, sha256?: …} or {path: FOLDER}',
    ),
  ),
  entrypoints: optional(
    v.strictObject({
      bot: optional(text),
      query: optional(parsed(insidePath)),
      message: optional(parsed(insidePath)),
    }),
  ),
  agent: optional(v.boolean()),
  config: v.optional(v.record(v.string(), v.unknown())),
  task: optional(v.record(v.string(), v.unknown())),
  enabled: optional(v.boolean()),
  schedule: optional(
    v.strictObject({
      cron: v.pipe(v.string(), v.nonEmpty(), v.maxLength(256)),
      timeZone: optional(v.pipe(v.string(), v.nonEmpty(), v.maxLength(128))),
      missed: optional(v.picklist(['once', 'all', 'skip'])),
      within: optional(parsed(durationText)),
      overlap: optional(v.picklist(['skip', 'queue', 'replace'])),
      spread: optional(parsed(durationText)),
      deadline: optional(parsed(durationText)),
    }),
  ),
  resources: optional(
    v.strictObject({
      memory: optional(parsed(bytes)),
      cpu: optional(parsed(cpu)),
      cpuLimit: optional(v.boolean()),
      pids: optional(v.pipe(v.number(), v.integer(), v.minValue(16), v.maxValue(32_768))),
      disk: optional(parsed(bytes)),
    }),
  ),
  restart: optional(
    v.strictObject({
      policy: optional(v.picklist(['always', 'on-failure', 'never'])),
      backoff: optional(parsed(range)),
      reset: optional(parsed(durationText)),
    }),
  ),
  stop: optional(v.strictObject({ timeout: optional(parsed(durationText)) })),
  network: optional(
    v.strictObject({
      egress: optional(
        v.union(
          [v.picklist(['none', 'internet']), v.array(parsed(cidr))],
          'expected none, internet or a list of networks',
        ),
      ),
    }),
  ),
  secrets: optional(v.pipe(v.array(parsed(secretName)), v.maxLength(32))),
  env: optional(environment),
  // Anything else that is not known is a slip of the pen.
  ...Object.fromEntries(botFields.others.map((name) => [name, v.optional(v.unknown())])),
  labels: optional(v.record(v.pipe(v.string(), v.maxLength(128)), v.pipe(v.string(), v.maxLength(256)))),
});

/** A bot's file, every field of the right shape, defaults not yet filled in. */
export type BotFile = v.InferOutput<typeof botSchema>;
