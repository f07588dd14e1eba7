import { asRuntimeError } from '../../../base/errors.ts';
import { QueryError } from '../../../bot/answers/queryError.ts';
import type { QueryAddress } from '../../api/hostApi.ts';
import type { BotSpec } from '../../bots/botSpec.ts';
import type { InstanceSpec } from '../../engine/engine.ts';
import type { Instances } from '../../instances/instances.ts';
import type { Endings } from './endings.ts';
import type { Pool } from './pool.ts';
import { type UntilReady, untilReady } from './untilReady.ts';

export interface Worker {
  readonly address: QueryAddress;
  /** Never throws. */
  end(): Promise<void>;
}

export interface StartWorkerOptions extends UntilReady {
  readonly instances: Instances;
  readonly pool: Pool;
  readonly endings: Endings;
  /** Letters and digits, unique. */
  readonly id: string;
}

/** What a worker's start may take, state included, milliseconds. */
const START_MS = 60_000;
/** The gateway ends a query at its own deadline; the worker's own limit is never the shorter one. */
const LONGEST_QUERY = '300s';

interface Begun {
  readonly name: string;
  end(): Promise<void>;
}

/**
 * A container that pulls the state of a bot, takes no generation, and serves queries: one that waited, where one fits, else a new one.
 * Resolves once it answers. Throws `QueryError` with what it printed when it ends instead.
 */
export async function startWorker(options: StartWorkerOptions, spec: BotSpec): Promise<Worker> {
  const { instances, id } = options;
  const signal = AbortSignal.timeout(START_MS);
  let begun: Begun | undefined;
  try {
    await instances.prepare(spec, signal);
    const wanted = await instances.query(spec, id, { QUERY_TIMEOUT: LONGEST_QUERY }, signal);
    begun = (await fromPool(options, wanted, signal)) ?? (await fresh(options, wanted, signal));
    const address = await untilReady(options, begun.name, signal);
    return { address, end: begun.end };
  } catch (error) {
    await begun?.end();
    if (error instanceof QueryError) throw error;
    if (signal.aborted)
      throw new QueryError(
        504,
        'timeout',
        `no query container of ${spec.name} answered within ${START_MS} ms`,
      );
    throw new QueryError(
      502,
      'unavailable',
      `no query container of ${spec.name} could be started: ${asRuntimeError(error).message}`,
    );
  }
}

/** Undefined: none waits that fits, or it could not be made this bot's, of which it then knows nothing. */
async function fromPool(
  { pool }: StartWorkerOptions,
  wanted: InstanceSpec,
  signal: AbortSignal,
): Promise<Begun | undefined> {
  const worker = pool.take(wanted);
  if (worker === undefined) return undefined;
  try {
    await worker.assign(wanted, signal);
    return { name: worker.spec.name, end: worker.end };
  } catch {
    await worker.end();
    signal.throwIfAborted();
    return undefined;
  }
}

async function fresh(
  { engine, endings }: StartWorkerOptions,
  wanted: InstanceSpec,
  signal: AbortSignal,
): Promise<Begun> {
  const { name } = wanted;
  const end = () => endings.end(name);
  try {
    await engine.create({ ...wanted, command: ['--query-server-only', '--pull'] }, signal);
    await engine.start(name, signal);
    return { name, end };
  } catch (error) {
    await end();
    throw error;
  }
}
