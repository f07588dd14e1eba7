import * as v from 'valibot';
import { parseDocument } from '../../base/parts/yaml.ts';
import { isObject } from '../../bot/config/parsers.ts';
import { parseSchedule } from '../schedule/parseSchedule.ts';
import type { BotSpec, CodeRef, ScheduleSpec } from './botSpec.ts';
import { type BotFile, botSchema } from './schema.ts';
import { variableProblems } from './variableProblems.ts';

/** Bytes of a bot's file. */
export const MAX_SPEC_BYTES = 256 * 1024;

const DAY_MS = 86_400_000;

/** What a file says, before its code is known to be in the store. */
export interface Draft {
  /** `path` is as written; undefined: the folder that the file lies in. */
  readonly code: CodeRef | { readonly path: string } | undefined;
  readonly rest: Omit<BotSpec, 'code'>;
  /** False: `config.json` beside the file counts. */
  readonly hasConfig: boolean;
}

/** YAML or JSON text as a draft, or everything that is wrong with it, a line each. `now`: is the schedule ever due? */
export function readSpec(text: string, now: number): Draft | { readonly problems: readonly string[] } {
  if (Buffer.byteLength(text) > MAX_SPEC_BYTES) return { problems: [`longer than ${MAX_SPEC_BYTES} bytes`] };
  const { value, problems } = parse(text);
  return problems.length > 0 ? { problems } : readSpecValue(value, now);
}

/** The same for a value that has been parsed already. */
export function readSpecValue(value: unknown, now: number): Draft | { readonly problems: readonly string[] } {
  if (!isObject(value)) return { problems: ['not a mapping'] };
  const read = v.safeParse(botSchema, value);
  if (!read.success) return { problems: read.issues.map(asProblem) };
  const problems: string[] = [];
  checkProgram(read.output, problems);
  const schedule = readSchedule(read.output, now, problems);
  if (problems.length > 0) return { problems };
  const made = draft(read.output, schedule);
  problems.push(...variableProblems(made.rest));
  return problems.length > 0 ? { problems } : made;
}

/** What comes after the first ones comes of them. */
const SYNTAX_ERRORS = 3;

function parse(text: string): { readonly value?: unknown; readonly problems: readonly string[] } {
  const document = parseDocument(text, { prettyErrors: true });
  const problems = document.errors.slice(0, SYNTAX_ERRORS).map(({ message }) => asSyntaxProblem(message));
  if (problems.length > 0) return { problems };
  try {
    return { value: document.toJS({ maxAliasCount: 20 }), problems };
  } catch (error) {
    return { problems: [(error as Error).message] };
  }
}

/** The parser's words, less the excerpt below them and what only a program could do about it. */
function asSyntaxProblem(message: string): string {
  const [line = ''] = message.split('\n');
  return line.replace(/; please use YAML\.\w+\(\)/, '').replace(/:$/, '');
}

function asProblem(issue: v.BaseIssue<unknown>): string {
  const path = issue.path?.map((item) => String(item.key)).join('.') ?? '';
  if (issue.type === 'strict_object' && issue.expected === 'never') return `${path}: unknown field`;
  if (issue.type === 'strict_object' && issue.received === 'undefined') return `${path}: missing`;
  return `${path}: ${issue.message}`;
}

function checkProgram({ type, agent, entrypoints }: BotFile, problems: string[]): void {
  const { bot, message } = entrypoints ?? {};
  if (!bot && !message && !agent) problems.push('entrypoints.bot: missing');
  if (bot && message && bot !== message) {
    problems.push(
      'entrypoints.message: one program is both, its `main` runs beside: the same as entrypoints.bot',
    );
  }
  if ((message || agent) && type !== 'realtime') problems.push('type: an agent waits for messages: realtime');
}

function readSchedule(file: BotFile, now: number, problems: string[]): ScheduleSpec | undefined {
  const { type, schedule } = file;
  if (type === 'realtime') {
    if (schedule) problems.push('schedule: only for bots of type scheduled');
    return undefined;
  }
  if (!schedule) {
    problems.push('schedule.cron: missing');
    return undefined;
  }
  const spec: ScheduleSpec = {
    cron: schedule.cron,
    timeZone: schedule.timeZone ?? 'UTC',
    missed: schedule.missed ?? 'once',
    withinMs: schedule.within ?? undefined,
    overlap: schedule.overlap ?? 'skip',
    spreadMs: schedule.spread ?? 0,
    deadlineMs: schedule.deadline || undefined,
  };
  if ((spec.withinMs ?? 0) > DAY_MS) problems.push('schedule.within: at most 24h');
  const parsed = parseSchedule({ ...spec, bot: file.name }, now);
  if (typeof parsed === 'string') problems.push(`schedule.cron: ${parsed}`);
  return spec;
}

function draft(file: BotFile, schedule: ScheduleSpec | undefined): Draft {
  const { resources, restart } = file;
  const { bot, query, message } = file.entrypoints ?? {};
  return {
    code: codeOf(file.code),
    hasConfig: file.config !== undefined,
    rest: {
      name: file.name,
      type: file.type,
      runtime: file.runtime,
      entrypoints: {
        bot: bot ?? message ?? '',
        query: query ?? undefined,
        ...(message && { message }),
      },
      ...(file.agent && { agent: true as const }),
      config: JSON.stringify(file.config ?? {}),
      task: file.task ? JSON.stringify(file.task) : undefined,
      enabled: file.enabled ?? true,
      schedule,
      resources: {
        memoryBytes: resources?.memory ?? 512 * 2 ** 20,
        cpuMillis: resources?.cpu ?? 500,
        cpuLimit: resources?.cpuLimit ?? false,
        pids: resources?.pids ?? 256,
        diskBytes: resources?.disk ?? 2 * 2 ** 30,
      },
      restart: {
        policy: restart?.policy ?? 'on-failure',
        firstMs: restart?.backoff?.first ?? 1_000,
        longestMs: restart?.backoff?.longest ?? 300_000,
        resetMs: restart?.reset ?? 600_000,
      },
      stopTimeoutMs: file.stop?.timeout || 30_000,
      egress: file.network?.egress ?? 'internet',
      secrets: file.secrets ?? [],
      env: sorted(file.env ?? {}),
      labels: sorted(file.labels ?? {}),
    },
  };
}

function codeOf(code: BotFile['code']): Draft['code'] {
  if (!code) return undefined;
  return 'path' in code ? code : { file: code.file, sha256: code.sha256 ?? undefined };
}

/** Equal however it was written. */
function sorted(record: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)));
}
