import { QueryError } from '../../bot/answers/queryError.ts';

export interface UnsentLimits {
  /** Bytes of answers to queries of one bot, and to all. */
  readonly perBot: number;
  readonly inAll: number;
}

/** One answer in memory, from its first byte until the client has taken all of it. */
export interface Held {
  /** So many bytes more. Throws `QueryError` 503 when there is no room for them. */
  grow(bytes: number): void;
  /** It is being sent: whoever takes long over it is cut when others need the room. */
  sending(cut: () => void): void;
  close(): void;
}

interface Entry {
  readonly bot: string;
  size: number;
  since: number | undefined;
  cut: () => void;
}

/** Answers this small find room always: a bot whose large ones nobody takes still answers quickly. Connections bound their number. */
const FREE_BYTES = 32 * 1024;
/** Who has taken longer reads slowly, milliseconds. */
const SLOW_MS = 5_000;

/**
 * The answers that clients have not taken yet. A bot is done with its query when the gateway has all of the answer, so slow readers
 * cost memory and no place of a query; the memory has a limit, and the one that has read for the longest goes first.
 */
export class Unsent {
  readonly #limits: UnsentLimits;
  readonly #now: () => number;
  /** In the order in which they came. */
  readonly #entries = new Set<Entry>();
  readonly #ofBot = new Map<string, number>();
  #inAll = 0;

  constructor(limits: UnsentLimits, now: () => number) {
    this.#limits = limits;
    this.#now = now;
  }

  open(bot: string): Held {
    const entry: Entry = { bot, size: 0, since: undefined, cut: () => undefined };
    this.#entries.add(entry);
    return {
      grow: (bytes) => {
        const more = counted(entry.size + bytes) - counted(entry.size);
        if (more > 0) this.#makeRoom(entry, more);
        entry.size += bytes;
        this.#count(bot, more);
      },
      sending: (cut) => {
        entry.since = this.#now();
        entry.cut = cut;
      },
      close: () => this.#close(entry),
    };
  }

  #makeRoom({ bot }: Entry, more: number): void {
    while ((this.#ofBot.get(bot) ?? 0) + more > this.#limits.perBot)
      this.#cutSlowest((one) => one.bot === bot);
    while (this.#inAll + more > this.#limits.inAll) this.#cutSlowest(() => true);
  }

  #cutSlowest(which: (entry: Entry) => boolean): void {
    const before = this.#now() - SLOW_MS;
    for (const entry of this.#entries) {
      if (!which(entry) || counted(entry.size) === 0 || !(entry.since !== undefined && entry.since <= before))
        continue;
      this.#close(entry);
      entry.cut();
      return;
    }
    throw new QueryError(503, 'busy', 'too many large answers are being read at once', {
      'retry-after': '1',
    });
  }

  #close(entry: Entry): void {
    if (this.#entries.delete(entry)) this.#count(entry.bot, -counted(entry.size));
  }

  #count(bot: string, bytes: number): void {
    this.#inAll += bytes;
    const own = (this.#ofBot.get(bot) ?? 0) + bytes;
    if (own === 0) this.#ofBot.delete(bot);
    else this.#ofBot.set(bot, own);
  }
}

const counted = (size: number) => Math.max(0, size - FREE_BYTES);
