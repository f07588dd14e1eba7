import { isRuntimeError, RuntimeError } from '../../base/errors.ts';
import type { Engine, Instance, LogChunk, LogOptions } from '../engine/engine.ts';
import type { Loop } from '../loop/loop.ts';

/**
 * What the instance of a bot prints that runs, else the last one. Followed, it goes on with whatever is started after that, a restart
 * or the next run, until the signal. Throws `not-found` where there is none and none is waited for.
 */
export function logsOf(
  deps: Deps,
  bot: string,
  options: LogOptions,
  signal: AbortSignal,
): AsyncIterable<LogChunk> {
  const all = instancesOf(deps, bot);
  const first = all.findLast(({ state }) => state === 'running') ?? all.at(-1);
  if (first !== undefined || options.follow) return oneAfterTheOther(deps, bot, first, options, signal);
  throw new RuntimeError('not-found', `${bot} has no instance, running or ended`, {
    hint: '`runtime logs` shows what has been shipped to the store.',
  });
}

interface Deps {
  readonly loop: Loop;
  readonly engine: Engine;
}

/** The oldest first. */
function instancesOf({ loop }: Deps, bot: string): readonly Instance[] {
  return (loop.state(bot).instances ?? []).toSorted((a, b) => a.createdAt - b.createdAt);
}

async function* oneAfterTheOther(
  deps: Deps,
  bot: string,
  first: Instance | undefined,
  options: LogOptions,
  signal: AbortSignal,
): AsyncGenerator<LogChunk> {
  let instance = first;
  let shown: LogOptions = options;
  for (;;) {
    if (instance !== undefined) {
      yield* whole(deps.engine, instance, shown, signal);
      shown = { tail: undefined, follow: true };
    }
    if (!options.follow || signal.aborted) return;
    instance = await next(instance?.createdAt ?? 0);
    if (instance === undefined) return;
  }

  /** The first that has begun to run after that time; undefined: the signal came first. */
  function next(after: number): Promise<Instance | undefined> {
    return new Promise((resolve) => {
      const look = () => {
        const found = instancesOf(deps, bot).find(
          ({ createdAt, startedAt }) => createdAt > after && startedAt !== undefined,
        );
        if (found === undefined && !signal.aborted) return;
        end();
        signal.removeEventListener('abort', look);
        resolve(signal.aborted ? undefined : found);
      };
      const end = deps.loop.onChange((changed) => changed === bot && look());
      signal.addEventListener('abort', look, { once: true });
      look();
    });
  }
}

/** One that has been removed meanwhile has nothing more to say. */
async function* whole(
  engine: Engine,
  { name }: Instance,
  options: LogOptions,
  signal: AbortSignal,
): AsyncGenerator<LogChunk> {
  try {
    yield* engine.logs(name, options, signal);
  } catch (error) {
    if (!options.follow || !isRuntimeError(error, 'not-found')) throw error;
  }
}
