import { setTimeout as sleep } from 'node:timers/promises';
import { FLEET_CODE, type Fleet } from '../../../test/support/kubernetes/fleet.ts';
import { aBot } from '../../../test/support/kubernetes/withBots.ts';

export interface ComeAndGo {
  /** How many have come, changed and gone. */
  told(): string;
  /** Resolves once all that came have gone. */
  stop(): Promise<void>;
}

const LIVE_AT_MOST = 5;
/** Longer than the store is away: all can save. */
const STOP = '30s';
const signal = () => AbortSignal.timeout(180_000);

/** Authors: realtime bots that are applied, changed, disabled, whose pods are deleted, and that are deleted, until stopped. */
export function startComeAndGo(
  fleet: Fleet,
  removePod: (bot: string) => Promise<unknown>,
  random: () => number,
): ComeAndGo {
  const stopped = new AbortController();
  const live: string[] = [];
  const going: Promise<void>[] = [];
  const counts = { came: 0, changed: 0, 'pods deleted': 0, went: 0 };
  const pause = (ms: number) => sleep(ms, undefined, { signal: stopped.signal }).catch(() => undefined);
  const come = async () => {
    const name = `guest-${counts.came}`;
    counts.came += 1;
    await fleet.bots.create(aBot(name, { code: { file: FLEET_CODE }, stop: { timeout: STOP } }), signal());
    live.push(name);
  };
  const go = (name: string) => {
    live.splice(live.indexOf(name), 1);
    going.push(
      (async () => {
        await fleet.bots.remove(name, {}, signal());
        for (const late = signal(); (await fleet.bots.get(name, late)) !== undefined; ) await sleep(500);
        counts.went += 1;
      })(),
    );
  };
  const act = async () => {
    const name = live[Math.floor(random() * live.length)];
    const what = random();
    if (name === undefined || (what < 0.4 && live.length < LIVE_AT_MOST)) return await come();
    if (what < 0.6) return go(name);
    if (what < 0.8) {
      counts['pods deleted'] += 1;
      return void (await removePod(name).catch(() => undefined));
    }
    counts.changed += 1;
    const spec = random() < 0.5 ? { config: { change: counts.changed } } : { enabled: random() < 0.5 };
    await fleet.bots.patch(name, { spec }, signal());
  };
  const acting = (async () => {
    while (!stopped.signal.aborted) {
      await pause(500 + random() * 3_000);
      if (!stopped.signal.aborted) await act();
    }
  })();
  return {
    told: () =>
      Object.entries(counts)
        .map(([what, times]) => `${times} ${what}`)
        .join(', '),
    stop: async () => {
      stopped.abort();
      await acting;
      for (const name of [...live]) go(name);
      await Promise.all(going);
    },
  };
}
