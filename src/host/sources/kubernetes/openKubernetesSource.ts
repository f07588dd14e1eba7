import type { Clock } from '../../../base/clock.ts';
import { follow } from '../../kubernetes/follow.ts';
import type { KubeClient } from '../../kubernetes/kubeClient.ts';
import { type Resource, resource } from '../../kubernetes/resource.ts';
import type { Entry, Source } from '../source.ts';
import { createDepartures } from './departures.ts';
import { createKubernetesWriter } from './kubernetesWriter.ts';
import { type BotObject, type KnownBot, readBot } from './readBot.ts';
import { botResource } from './resource.ts';

export interface KubernetesSourceOptions {
  readonly client: KubeClient;
  readonly namespace: string;
  readonly clock: Clock;
  /** In [0, 1). */
  readonly random: () => number;
  /** Whether the state of a bot could be saved now. Throws where the store does not answer. */
  readonly canSave: (bot: string, signal: AbortSignal) => Promise<void>;
}

/** The source, and what it knows of each object beside what is wanted. */
export interface KubernetesSource extends Source {
  readonly bots: Resource<BotObject>;
  known(bot: string): KnownBot | undefined;
  /** Takes over what the cluster has answered to a write, before its watch tells. */
  took(object: BotObject): void;
  /** Called with a bot's id when something of its object has changed, also what does not concern what is wanted. */
  onChange(listener: (bot: string) => void): void;
  /** Why a bot that is deleted is not stopped yet. */
  readonly waits: ReadonlyMap<string, string>;
}

/** Milliseconds: what changes together is told together. */
const TOGETHER_MS = 50;
/** Of the time between two tellings: with many bots, what changes all the time must not take all of it. */
const REST = 3;

/**
 * The custom resource `Bot` in one namespace, listed and watched. One that is deleted is wanted until the store answers, so that its state
 * can be saved; then it is not, and its object stays until that is done.
 */
export function openKubernetesSource(options: KubernetesSourceOptions): KubernetesSource {
  const { client, namespace, clock } = options;
  const bots = resource<BotObject>(client, {
    api: botResource.apiVersion,
    plural: botResource.plural,
    namespace,
  });
  /** By the name of the object. */
  let known = new Map<string, KnownBot>();
  let byBot = new Map<string, KnownBot>();
  const listeners: ((bot: string) => void)[] = [];
  let changed: () => void = () => undefined;
  /** Bots whose object was deleted, and let go by somebody else than this host: that was meant. */
  const letGo = new Set<string>();
  const departures = createDepartures(options, (bot) => {
    changed();
    tell(bot);
  });

  const read = (object: BotObject) => readBot(object, known.get(object.metadata.name), clock.now());
  const tell = (bot: string) => {
    for (const listener of listeners) listener(bot);
  };
  const put = (one: KnownBot): void => {
    const before = known.get(one.object);
    known.set(one.object, one);
    byBot.set(one.bot, one);
    if (one.isDeleted) departures.ask(one);
    // Most of what changes is the status that is written here.
    if (!isWantedSame(before, one)) changed();
    tell(one.bot);
  };

  /** What is wanted now, and what somebody has deleted. */
  function listing(): { readonly entries: Map<string, Entry>; readonly meant: Set<string> } {
    const entries = new Map<string, Entry>();
    const meant = new Set<string>();
    byBot = new Map();
    for (const object of [...known.keys()].sort()) {
      const one = known.get(object)!;
      if (one.isDeleted && departures.may(one)) {
        meant.add(one.bot);
        if (!byBot.has(one.bot)) byBot.set(one.bot, one);
        continue;
      }
      const other = entries.get(one.bot);
      entries.set(one.bot, other === undefined ? one.entry : clash(one.bot, other, one.entry));
      byBot.set(one.bot, one);
    }
    for (const bot of letGo) meant.add(bot);
    letGo.clear();
    for (const bot of entries.keys()) meant.delete(bot);
    return { entries, meant };
  }

  return {
    label: 'kubernetes:',
    bots,
    known: (bot) => byBot.get(bot),
    took: (object) => {
      // Never over something newer: the watch may have been faster.
      const now = known.get(object.metadata.name);
      const one = read(object);
      if (now?.uid === one.uid && now.version < one.version) put(one);
    },
    onChange: (listener) => void listeners.push(listener),
    waits: departures.waits,
    writer: createKubernetesWriter({ bots, namespace, clock, objectOf: (bot) => byBot.get(bot)?.object }),
    run: async (observer, signal) => {
      let isListed = false;
      let isPending = false;
      /** Not told again before. */
      let restUntil = 0;
      const flush = () => {
        isPending = false;
        if (!isListed || signal.aborted) return;
        const began = performance.now();
        const { entries, meant } = listing();
        observer.listed(entries, meant);
        const now = performance.now();
        restUntil = now + (now - began) * REST;
      };
      changed = () => {
        if (isPending) return;
        isPending = true;
        const wait = Math.max(TOGETHER_MS, restUntil - performance.now());
        void clock.sleep(wait, signal).then(flush, () => undefined);
      };
      await Promise.all([
        departures.run(signal),
        follow(
          bots,
          {
            clock,
            random: options.random,
            keep: read,
            listed: (items) => {
              const gone = [...known.values()];
              known = new Map(items.map((one) => [one.object, one]));
              for (const one of items) if (one.isDeleted) departures.ask(one);
              for (const one of gone) if (one.isDeleted && !known.has(one.object)) letGo.add(one.bot);
              isListed = true;
              flush();
              for (const { bot } of [...items, ...gone.filter(({ object }) => !known.has(object))]) tell(bot);
            },
            changed: put,
            gone: (one) => {
              known.delete(one.object);
              if (one.isDeleted) letGo.add(one.bot);
              departures.forget(one);
              changed();
              tell(one.bot);
            },
            lost: (error) => observer.failed(error),
            back: () => changed(),
          },
          signal,
        ),
      ]);
    },
  };
}

/** Of what a listing is made of. */
function isWantedSame(before: KnownBot | undefined, one: KnownBot): boolean {
  return (
    before?.uid === one.uid &&
    before.entry === one.entry &&
    before.isDeleted === one.isDeleted &&
    before.goesUnsaved === one.goesUnsaved
  );
}

function clash(bot: string, a: Entry, b: Entry): Entry {
  return { problems: [`two objects are the bot ${bot}: ${a.origin} and ${b.origin}`], origin: a.origin };
}
