/**
 * A change that makes many instances anew reaches them in waves: one, 5 %, 25 %, all. A wave has to be ready before the next
 * begins; when more than 2 % of it are not within a minute, the rest keeps what it has, after a restart of the host too.
 * Milliseconds.
 */
export interface Waves {
  /** May `bot` be replaced now? `group`: what changes together; `total`: how many bots it has. */
  mayReplace(request: {
    bot: string;
    group: string;
    hash: string;
    total: () => number;
    now: number;
  }): boolean;
  /** A bot runs with `hash` since `startedAt`. */
  ready(bot: string, hash: string): void;
  /** Groups that are held, and how many of their last wave are not ready. */
  held(): readonly { readonly group: string; readonly notReady: number }[];
  /** Lets a held group go on, and every other be. */
  release(): void;
  /** What the next life of the host has to know, in JSON. */
  keep(): readonly KeptWave[];
}

/** A wave as it is kept on the disk. */
export interface KeptWave {
  readonly group: string;
  readonly size: number;
  readonly held: boolean;
  /** Bots let through, with the hash that each is to run with, and whether it has been ready. */
  readonly through: readonly (readonly [bot: string, hash: string, isReady: boolean])[];
}

export interface WavesOptions {
  readonly kept: readonly KeptWave[];
  readonly now: number;
  /** `keep` says something else than before. */
  readonly changed: () => void;
  readonly onHeld: (group: string, notReady: number) => void;
}

interface Wave {
  size: number;
  begun: number;
  /** Bots let through, with the hash that each is to run with. */
  readonly through: Map<string, string>;
  readonly isReady: Set<string>;
  held: boolean;
}

const SHARES = [0, 0.05, 0.25, 1];
const READY_WITHIN_MS = 60_000;
const MOST_NOT_READY = 0.02;

export function createWaves({ kept, now: begun, changed, onHeld }: WavesOptions): Waves {
  // The minute of a wave begins anew with the host: what was ready meanwhile has not been seen.
  const waves = new Map(kept.map((wave) => [wave.group, asWave(wave, begun)]));

  const isDone = (wave: Wave, now: number) =>
    wave.isReady.size === wave.through.size && now - wave.begun >= READY_WITHIN_MS;

  const sizeAfter = (size: number, total: number) =>
    Math.max(
      1,
      ...SHARES.map((share) => Math.ceil(share * total))
        .filter((next) => next > size)
        .slice(0, 1),
      size,
    );

  return {
    mayReplace: ({ bot, group, hash, total, now }) => {
      let wave = waves.get(group);
      const known = wave?.through.get(bot);
      if (wave !== undefined && known === hash) return true;
      // A bot that changes once more is another change, and so is what comes when the last one is done.
      if (wave === undefined || known !== undefined || isDone(wave, now)) {
        for (const [done, one] of waves) if (isDone(one, now)) waves.delete(done);
        wave = { size: 1, begun: now, through: new Map(), isReady: new Set(), held: false };
        waves.set(group, wave);
      }
      if (wave.held) return false;
      // The clock was set back: its minute begins anew.
      wave.begun = Math.min(wave.begun, now);
      if (wave.through.size >= wave.size) {
        const notReady = [...wave.through.keys()].filter((one) => !wave.isReady.has(one)).length;
        const late = now - wave.begun >= READY_WITHIN_MS;
        if (notReady > 0 && !late) return false;
        if (notReady > MOST_NOT_READY * wave.through.size) {
          wave.held = true;
          changed();
          onHeld(group, notReady);
          return false;
        }
        wave.size = sizeAfter(wave.size, total());
        wave.begun = now;
      }
      wave.through.set(bot, hash);
      changed();
      return true;
    },
    ready: (bot, hash) => {
      for (const wave of waves.values()) {
        if (wave.through.get(bot) !== hash || wave.isReady.has(bot)) continue;
        wave.isReady.add(bot);
        changed();
      }
    },
    held: () =>
      [...waves].flatMap(([group, wave]) =>
        wave.held
          ? [{ group, notReady: [...wave.through.keys()].filter((one) => !wave.isReady.has(one)).length }]
          : [],
      ),
    release: () => {
      for (const [group, wave] of waves) if (wave.held) waves.delete(group);
      changed();
    },
    keep: () =>
      [...waves].map(([group, { size, held, through, isReady }]) => ({
        group,
        size,
        held,
        through: [...through].map(([bot, hash]) => [bot, hash, isReady.has(bot)] as const),
      })),
  };
}

function asWave({ size, held, through }: KeptWave, begun: number): Wave {
  return {
    size,
    held,
    begun,
    through: new Map(through.map(([bot, hash]) => [bot, hash])),
    isReady: new Set(through.filter(([, , isReady]) => isReady).map(([bot]) => bot)),
  };
}
