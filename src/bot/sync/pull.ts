import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Clock } from '../../base/clock.ts';
import { isRuntimeError } from '../../base/errors.ts';
import { isMemoryTight } from '../../base/isMemoryTight.ts';
import type { LogFields, Logger } from '../../base/log.ts';
import type { Stores } from '../../store/openStores.ts';
import { limited } from '../../store/retry/timeLimit.ts';
import { pullCode } from '../code/pullCode.ts';
import type { Config } from '../config/config.ts';
import type { EventSink } from '../events/event.ts';
import { type Claim, claim, observe } from '../state/claim/claim.ts';
import { isNothingThere } from '../state/local/isEmpty.ts';
import type { Restored, RestoreOptions } from '../state/local/restoreReport.ts';
import { lookAgain } from '../state/read/lookAgain.ts';
import { restore } from '../state/restore/restore.ts';

/** Archives up to this size are unpacked from memory, larger ones from a file. */
const IN_MEMORY_BYTES = 32 * 1024 * 1024;
const IN_MEMORY_BYTES_TIGHT = 2 * 1024 * 1024;
/** Milliseconds. */
const LAST_TRY_MS = 1200;
/** Of the time for a stop, for a claim that is under way. */
const CLAIM_SHARE = 0.25;

export interface PullDeps {
  readonly stores: Stores;
  readonly clock: Clock;
  readonly log: Logger;
  /** Names this instance in the head, unique for each start; undefined: only look, take no generation. */
  readonly holder: string | undefined;
  readonly emit: EventSink;
  readonly signal: AbortSignal;
  readonly onProgress?: RestoreOptions['onProgress'];
  /** The state is there, and ours; the code may still fail. `kept`: the tree that lay there may be newer than what is saved. */
  readonly onState?: ((claim: Claim, kept: boolean, snapshot: Restored['snapshot']) => void) | undefined;
}

/**
 * Code and state, at the same time, and a new generation of the bot: after this, every older instance is fenced. Without
 * a holder it only reads: the claim has generation 0 and nobody is fenced. Either all of it succeeds or the first error is thrown, when everything else has stopped.
 *
 * Errors: `not-found` (66) no such code archive, no such input; `damaged` (65) code or state refused; `unavailable`, `denied` (69) the
 * store; whatever it is, nothing incomplete is visible at the code or state path.
 */
export async function pull(config: Config, deps: PullDeps): Promise<Claim> {
  const failed = new AbortController();
  const signal = AbortSignal.any([deps.signal, failed.signal]);
  const state = pullTheState(config, { ...deps, signal }, deps.signal);
  const code = pullTheCodeAndInputs(config, { ...deps, signal }, state);
  try {
    const [, taken] = await Promise.all([code, state]);
    return taken;
  } catch (error) {
    failed.abort(error);
    await Promise.allSettled([code, state]);
    throw error;
  }
}

/** The inputs go into the code, so once it is there. */
async function pullTheCodeAndInputs(config: Config, deps: PullDeps, state: Promise<unknown>): Promise<void> {
  // The state takes several answers, one after the other, the code one: what else is to be done begins between their first requests.
  await nextTurn();
  await pullTheCode(config, deps, state);
  await pullTheInputs(config, deps);
}

async function pullTheCode(config: Config, deps: PullDeps, state: Promise<unknown>): Promise<void> {
  if (config.code.file === undefined) return;
  const isTight = isMemoryTight();
  // Both at the same time would take the memory of both.
  if (isTight) await state;
  const startedAt = deps.clock.elapsed();
  const options = {
    store: await deps.stores.open('code'),
    key: config.code.file,
    sha256: config.code.sha256,
    maxBytes: config.code.maxBytes,
    into: config.paths.code,
    owner: config.user,
    cache: config.code.cache,
    inMemoryBytes: isTight ? IN_MEMORY_BYTES_TIGHT : IN_MEMORY_BYTES,
    warn: (message: string) => deps.log.warn(message),
    signal: deps.signal,
  };
  const report = await readAgain(deps, () => pullCode(options));
  const durationMs = deps.clock.elapsed() - startedAt;
  deps.emit('code.pulled', { ...report, durationMs });
  deps.log.debug('code pulled', { files: report.files, bytes: report.bytes, durationMs });
}

/**
 * A start that ends for a damaged or missing archive (65, 66) is not tried again by whoever runs bots: one wrong answer is no reason for it.
 * Nor is a conflict: one that was replaced while it came.
 */
async function readAgain<T>({ clock, log, signal }: PullDeps, look: () => Promise<T>): Promise<T> {
  const warn = (message: string, fields?: LogFields) => log.warn(message, fields);
  return await lookAgain({ clock, warn }, look, signal, (error) =>
    isRuntimeError(error, 'damaged', 'not-found', 'conflict'),
  );
}

async function pullTheInputs(config: Config, deps: PullDeps): Promise<void> {
  if (config.task.inputs.every(({ key }) => key === undefined)) return;
  const { pullInputs } = await import('../artifacts/parts/artifacts.ts');
  const options = {
    store: await deps.stores.open('code'),
    inputs: config.task.inputs,
    codePath: config.paths.code,
    owner: config.user,
    maxBytes: config.code.maxBytes,
    signal: deps.signal,
  };
  await readAgain(deps, () => pullInputs(options));
  deps.log.debug('inputs pulled');
}

async function pullTheState(config: Config, deps: PullDeps, stopped: AbortSignal): Promise<Claim> {
  const startedAt = deps.clock.elapsed();
  const context = {
    store: await deps.stores.open('state'),
    bot: config.botId,
    clock: deps.clock,
    warn: (message: string, fields?: LogFields) => deps.log.warn(message, fields),
  };
  const { holder, signal } = deps;
  const isLeft = holder !== undefined && !isNothingThere(config.paths.state);
  // What an earlier life has left here can be saved only by who has the bot, whatever becomes of this start.
  const claimed = new AbortController();
  const claiming = isLeft
    ? afterwards(stopped, config.stopTimeoutMs * CLAIM_SHARE, deps.clock, claimed.signal)
    : signal;
  // Several small requests: together they may take no longer than one. What the last try says is worth more than that time is over.
  const ms = config.startTimeoutMs > 0 ? config.startTimeoutMs + LAST_TRY_MS : undefined;
  const taken = await limited(
    { clock: deps.clock, ms, store: context.store.name, signal: claiming },
    (signal = claiming) =>
      holder === undefined
        ? observe(context, { signal })
        : claim(context, { holder, dir: config.paths.state, signal }),
  ).finally(() => claimed.abort());
  const { tree, snapshot, ...report } = await restore(context, taken, {
    dir: config.paths.state,
    owner: config.user,
    maxBytes: config.sync.maxBytes,
    maxFileBytes: config.sync.maxFileBytes,
    signal,
    onProgress: deps.onProgress,
  });
  const durationMs = deps.clock.elapsed() - startedAt;
  deps.emit('state.restored', { generation: taken.generation, ...report, durationMs });
  deps.log.debug('state restored', { generation: taken.generation, files: report.files, durationMs });
  const held = { ...taken, tree };
  deps.onState?.(held, report.kept, snapshot);
  return held;
}

/** Aborted so many milliseconds after `signal`; never where `done` comes first, after which nothing is left that waits. */
function afterwards(signal: AbortSignal, ms: number, clock: Clock, done: AbortSignal): AbortSignal {
  const later = new AbortController();
  const begin = () =>
    clock.sleep(ms, done).then(
      () => later.abort(signal.reason),
      () => undefined,
    );
  if (signal.aborted) void begin();
  else signal.addEventListener('abort', () => void begin(), { once: true, signal: done });
  return later.signal;
}
