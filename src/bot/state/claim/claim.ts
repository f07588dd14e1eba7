import { isRuntimeError, RuntimeError } from '../../../base/errors.ts';
import type { StateContext } from '../format/context.ts';
import { FORMAT, keys } from '../format/format.ts';
import { encodeHead, type Head, parseHead } from '../format/head.ts';
import type { LocalTree } from '../local/localTree.ts';
import { findHead } from '../read/findHead.ts';
import { headGone } from '../read/firstStart.ts';
import { readHead, type StoredHead } from '../read/readHead.ts';
import type { Holding } from './holding.ts';
import { noteClaimant } from './tree/noteClaimant.ts';

/** The right to write a bot's state, with the head as it was when this instance took the right. */
/*
 * The room of the claim: which instance may write a bot's state. (Which tree is kept: `tree/keepOrReplace.ts`.)
 *
 * A *generation* counts the instances of a bot; a *holder* is the id of one instance. The head names the newest generation and its
 * holder. An instance that finds another holder there is *fenced*.
 *
 *  1. `claim` writes the head with the next generation, on the condition that the head is still the one that was read. From then on the
 *     store refuses every older instance. `firstStart` tells a new bot from one whose head is gone.
 *  2. `claimLocal` claims for a tree that another process has restored. `resumeClaim` takes a claim up again in a daemon that starts
 *     again. `observe` only reads the head.
 *  3. `HeadKeeper` moves the head of this instance, and notices when another instance has taken over.
 */

export interface Claim {
  readonly generation: number;
  /** Unique to the instance. */
  readonly holder: string;
  readonly etag: string;
  readonly head: Head;
  /** The holder before this one; generation 0: there was none. */
  readonly previous: Holding;
  /** What another process has restored for this claim; undefined before that. */
  readonly tree?: LocalTree | undefined;
}

export interface ClaimOptions {
  readonly holder: string;
  /** The state directory, where the claim is for the tree in it, which may be newer than the saved state. */
  readonly dir?: string | undefined;
  /** The holder that must still have the bot, else `fenced`. Undefined: any holder. */
  readonly from?: Holding | undefined;
  readonly signal: AbortSignal;
}

/** How often other instances may be faster. */
const ATTEMPTS = 20;
/** How often the store may refuse a condition that holds: once, after another instance's write that has failed half-way. */
const REFUSALS = 2;

/**
 * Takes the next generation: from here on the store refuses every older instance. One GET and one PUT. Throws
 * `damaged` where the head cannot be used, or is missing beside other objects: a state is empty only where the store says that there is
 * nothing.
 */
export async function claim(context: StateContext, options: ClaimOptions): Promise<Claim> {
  const { store, bot, clock } = context;
  const { holder, dir, from, signal } = options;
  let refusals = 0;
  for (let attempt = 1; ; attempt++) {
    const { stored: current, legacy } = await findHead(context, signal);
    const before = current?.head ?? emptyHead(bot, legacy);
    const previous = { generation: before.generation, holder: before.holder };
    if (from && !isSameHolding(previous, from)) throw fenced(bot, current?.head);
    if (dir !== undefined) noteClaimant(dir, holder, previous);
    const head: Head = {
      ...before,
      generation: before.generation + 1,
      holder,
      updatedAt: new Date(clock.now()).toISOString(),
    };
    const condition = current ? { ifMatch: current.etag } : { ifNoneMatch: '*' as const };
    try {
      const { etag } = await store.put(keys.head(bot), encodeHead(head), { ...condition, signal });
      return { generation: head.generation, holder, etag, head, previous };
    } catch (error) {
      if (!isRuntimeError(error, 'conflict', 'unavailable', 'not-found')) throw error;
      const taken = await readHead(context, signal);
      if (taken && isHeldBy(taken, head)) {
        return { generation: head.generation, holder, etag: taken.etag, head: taken.head, previous };
      }
      if (!isRuntimeError(error, 'conflict', 'not-found')) throw error;
      // No other instance has written, and the store refuses nevertheless.
      if (taken?.etag === current?.etag) refusals += 1;
      if (refusals === REFUSALS || attempt === ATTEMPTS || error.retryable) throw undecided(bot, error);
    }
  }
}

function undecided(bot: string, cause: Error): RuntimeError {
  return new RuntimeError('unavailable', `the store refuses each write of ${keys.head(bot)} as a conflict`, {
    op: 'state.claim',
    path: keys.head(bot),
    cause,
    hint: 'Do many instances of this bot start at once? Else what answers there does not decide conditional writes.',
  });
}

/** Reads the head without taking a generation, for a process that only reads (an ephemeral query). */
export async function observe(context: StateContext, options: { signal: AbortSignal }): Promise<Claim> {
  const { stored: current, legacy } = await findHead(context, options.signal);
  const head = current?.head ?? emptyHead(context.bot, legacy);
  const { generation, holder } = head;
  return { generation: 0, holder: '', etag: current?.etag ?? '', head, previous: { generation, holder } };
}

/** The claim as text for another process, which reads it by `parseClaim`. */
export function serializeClaim(claim: Claim): SerializedClaim {
  return { ...claim, head: encodeHead(claim.head).toString('utf8') };
}

export interface SerializedClaim extends Omit<Claim, 'head'> {
  readonly head: string;
}

export function parseClaim(serialized: SerializedClaim, bot: string): Claim {
  return { ...serialized, head: parseHead(serialized.head, bot) };
}

/**
 * The claim that this instance has taken before, for a daemon that starts again. `fenced` where it is lost, `damaged` where the head
 * is gone: that is no takeover, and no reason to stop the bot.
 */
export async function resumeClaim(
  context: StateContext,
  held: Holding & Pick<Claim, 'tree'>,
  signal: AbortSignal,
): Promise<Claim> {
  const current = await readHead(context, signal);
  if (!current) throw headGone(context.bot);
  if (!isHeldBy(current, held)) throw fenced(context.bot, current.head);
  return { ...held, etag: current.etag, head: current.head, previous: held };
}

export function isHeldBy(stored: StoredHead, by: Holding): boolean {
  return isSameHolding(stored.head, by);
}

function isSameHolding(a: Holding, b: Holding): boolean {
  return a.generation === b.generation && a.holder === b.holder;
}

export function fenced(bot: string, head: Head | undefined): RuntimeError {
  const who = head ? `generation ${head.generation}, ${head.holder}` : 'the head is gone';
  return new RuntimeError('fenced', `another instance of ${bot} has taken over (${who})`, {
    op: 'state.publish',
    path: keys.head(bot),
    hint: 'Only the newest instance of a bot may write its state; this one stops.',
  });
}

function emptyHead(bot: string, legacy: boolean): Head {
  return {
    format: FORMAT,
    bot,
    generation: 0,
    holder: '',
    sequence: 0,
    updatedAt: '',
    legacy,
    snapshots: [],
    blobs: {},
  };
}
