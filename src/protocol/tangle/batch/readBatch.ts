import * as v from 'valibot';
import { HttpError, invalid } from '../http/httpError.ts';
import { readFields } from '../http/readFields.ts';
import { readCreate, type WantedSandbox } from '../sandboxes/readCreate.ts';

export interface Task {
  readonly id: string;
  readonly message: string;
  readonly timeoutMs: number;
}

export interface Batch {
  readonly tasks: readonly Task[];
  /** Each in a session of this one; undefined: each in a sandbox of its own, made of `wanted`. */
  readonly sandboxId: string | undefined;
  readonly wanted: WantedSandbox | undefined;
  readonly atOnce: number;
  /** Sandboxes that were made for it stay. */
  readonly isPersistent: boolean;
}

const ms = v.pipe(v.number(), v.gtValue(0), v.maxValue(24 * 3_600_000));
const USUAL_MS = 10 * 60_000;
const AT_ONCE = { fastest: 8, balanced: 4, cheapest: 1 } as const;

const schema = v.object({
  tasks: v.pipe(
    v.array(
      v.object({
        id: v.pipe(v.string(), v.nonEmpty(), v.maxLength(256)),
        message: v.pipe(v.string(), v.regex(/\S/, 'must not be empty')),
        context: v.nullish(v.unknown()),
        timeoutMs: v.nullish(ms),
      }),
    ),
    v.minLength(1),
    v.maxLength(256),
  ),
  timeoutMs: v.nullish(ms),
  scalingMode: v.nullish(v.picklist(['fastest', 'balanced', 'cheapest'])),
  persistent: v.nullish(v.boolean()),
  sandboxId: v.nullish(v.string()),
  config: v.nullish(v.record(v.string(), v.unknown())),
});

/** Throws 400, and 501 where nothing says which agent is to answer. */
export function readBatch(body: Readonly<Record<string, unknown>>): Batch {
  const { tasks, timeoutMs, scalingMode, persistent, sandboxId, config } = readFields(schema, body);
  if (new Set(tasks.map(({ id }) => id)).size < tasks.length)
    throw invalid({ tasks: 'two have the same id' });
  if (sandboxId == null && config == null)
    throw new HttpError(
      501,
      'NOT_SUPPORTED',
      'there are no model backends here: `sandboxId` names a sandbox with an agent, or `config` says what each task is given, as at its creation',
    );
  return {
    tasks: tasks.map(({ id, message, context, timeoutMs: own }) => ({
      id,
      message: context == null ? message : `${message}\n\n${textOf(context)}`,
      timeoutMs: own ?? timeoutMs ?? USUAL_MS,
    })),
    sandboxId: sandboxId ?? undefined,
    wanted: sandboxId == null ? readCreate(config ?? {}, undefined) : undefined,
    atOnce: AT_ONCE[scalingMode ?? 'balanced'],
    isPersistent: persistent ?? false,
  };
}

function textOf(context: unknown): string {
  return typeof context === 'string' ? context : JSON.stringify(context);
}
