import { isDeepStrictEqual } from 'node:util';
import type { Clock } from '../../../base/clock.ts';
import { asRuntimeError, isRuntimeError, RuntimeError } from '../../../base/errors.ts';
import type { Logger } from '../../../base/log.ts';
import { inParallel } from '../../../bot/state/read/inParallel.ts';
import type { BotView, HostApi } from '../../api/hostApi.ts';
import type { HostEvent } from '../../journal/event.ts';
import type { Recorded } from '../../reconcile/recorded.ts';
import type { KubernetesSource } from '../../sources/kubernetes/openKubernetesSource.ts';
import type { KnownBot } from '../../sources/kubernetes/readBot.ts';
import { botResource } from '../../sources/kubernetes/resource.ts';
import { type BotStatus, type Snapshot, type Stays, statusOf } from './statusOf.ts';

export interface KeepObjectsOptions {
  readonly source: KubernetesSource;
  /** The newest snapshot of a bot's state; undefined: there is none. */
  readonly snapshot: (bot: string, signal: AbortSignal) => Promise<Snapshot | undefined>;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Milliseconds: what changes of a bot in this time is written once. */
const TOGETHER_MS = 500;
const WRITES_AT_ONCE = 16;

/** Keeps each Bot's status and finalizer in the cluster as they are here. What is as it was is not written. */
export function keepObjects({ source, snapshot, clock, log }: KeepObjectsOptions) {
  const dirty = new Set<string>();
  /** Bots that have ended since their snapshot was asked for. */
  const ended = new Set<string>();
  let wake: () => void = () => undefined;

  const mark = (bot: string): void => {
    dirty.add(bot);
    wake();
  };
  source.onChange(mark);

  async function look(api: HostApi, bot: string, signal: AbortSignal): Promise<void> {
    const known = source.known(bot);
    if (known === undefined) return;
    if (!known.isDeleted && !known.finalizers.includes(botResource.finalizer)) await hold(known, signal);
    const view = api.bot(bot);
    // What has not been looked at says nothing yet: not even that it is not so.
    if (view === undefined || view.conditions.length === 0) return;
    if (known.isDeleted && isAtRest(view) && whyItStays(known, view) === undefined)
      await release(known, signal);
    else await write(known, view, signal);
  }

  async function write(known: KnownBot, view: BotView, signal: AbortSignal): Promise<void> {
    const before = JSON.parse(known.status) as BotStatus;
    const status = statusOf({
      view,
      generation: known.generation,
      before,
      snapshot: ended.delete(known.bot) ? await snapshotOf(known.bot, signal) : undefined,
      stays: whyItIsThere(known, view),
      now: clock.now(),
    });
    if (isDeepStrictEqual(status, before)) return;
    const removed = Object.keys(before).filter((name) => !(name in status));
    const patch = { ...status, ...Object.fromEntries(removed.map((name) => [name, null])) };
    // Another bot of the same name is not this one.
    source.took(
      await source.bots.patch(
        known.object,
        { metadata: { uid: known.uid }, status: patch },
        signal,
        'status',
      ),
    );
  }

  function whyItIsThere(known: KnownBot, view: BotView): Stays | undefined {
    if (!known.isDeleted) return undefined;
    const away = source.waits.get(known.bot);
    if (away !== undefined)
      return {
        reason: 'DeletionWaits',
        message: `it is deleted, and runs until its state can be saved: ${away}`,
      };
    const unsaved = isAtRest(view) ? whyItStays(known, view) : undefined;
    return unsaved && { reason: 'Unsaved', message: `${unsaved.message}. ${unsaved.hint}` };
  }

  async function snapshotOf(bot: string, signal: AbortSignal): Promise<Snapshot | undefined> {
    return await snapshot(bot, signal).catch(() => undefined);
  }

  async function hold(known: KnownBot, signal: AbortSignal): Promise<void> {
    await setFinalizers(known, [...known.finalizers, botResource.finalizer], signal);
  }

  async function release(known: KnownBot, signal: AbortSignal): Promise<void> {
    if (!known.finalizers.includes(botResource.finalizer)) return;
    await setFinalizers(
      known,
      known.finalizers.filter((one) => one !== botResource.finalizer),
      signal,
    );
  }

  async function setFinalizers(known: KnownBot, finalizers: string[], signal: AbortSignal): Promise<void> {
    try {
      // Over what was read alone: others have finalizers too.
      const test = known.finalizers.length === 0 ? null : known.finalizers;
      const patch = [
        { op: 'test', path: '/metadata/uid', value: known.uid },
        { op: 'test', path: '/metadata/finalizers', value: test },
        { op: 'add', path: '/metadata/finalizers', value: finalizers },
      ];
      source.took(await source.bots.patch(known.object, patch, signal));
    } catch (error) {
      if (!isRuntimeError(error, 'not-found')) throw error;
    }
  }

  return {
    /** Told of each event of the journal. */
    event: ({ type, bot }: HostEvent): void => {
      if (bot !== undefined && type === 'ended') ended.add(bot);
    },
    /** For `openClusterRecords`: nothing is left of the bot but its object. */
    forgetting: async (bot: string, recorded: Recorded, signal: AbortSignal): Promise<void> => {
      const known = source.known(bot);
      if (known?.isDeleted !== true) return;
      const { ended: lastEnd, lastRun } = recorded;
      const why = whyItStays(known, { lastEnd, lastRun });
      if (why !== undefined) throw why;
      await release(known, signal);
    },
    run: async (api: HostApi, signal: AbortSignal): Promise<void> => {
      api.changes(mark);
      signal.addEventListener('abort', () => wake(), { once: true });
      let told = '';
      while (!signal.aborted) {
        if (dirty.size === 0)
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        await clock.sleep(TOGETHER_MS, signal).catch(() => undefined);
        const bots = [...dirty];
        dirty.clear();
        await inParallel(WRITES_AT_ONCE, bots, signal, async (bot, either) => {
          try {
            await look(api, bot, either);
            told = '';
          } catch (error) {
            if (signal.aborted) return;
            // Of one: the cluster is asked again for all of them, and they all fail alike.
            const { message } = asRuntimeError(error);
            if (told === '') log.warn(`the object of ${bot} is not kept: ${message}`);
            told = message;
            dirty.add(bot);
          }
        }).catch(() => undefined);
      }
    },
  };
}

/** The exit code of an agent that could not save. */
const UNSAVED = 74;

function whyItStays(
  { bot, object, goesUnsaved }: KnownBot,
  { lastEnd, lastRun }: Pick<BotView, 'lastEnd' | 'lastRun'>,
): RuntimeError | undefined {
  if (goesUnsaved || (lastEnd?.exitCode ?? lastRun?.exitCode) !== UNSAVED) return undefined;
  return new RuntimeError('unsaved', `the last state of ${bot} could not be saved`, {
    op: 'bots.release',
    hint: `To let it go all the same: kubectl annotate bot ${object} ${botResource.deleteWithoutSaving}=true`,
  });
}

/** Nothing of it runs, and nothing is still to be done. */
function isAtRest({ conditions, instances }: BotView): boolean {
  const ready = conditions.find(({ type }) => type === 'Ready');
  return ready?.reason === 'NotWanted' && instances.every(({ state }) => state === 'ended');
}
