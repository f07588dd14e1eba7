import type { ContentPart } from '../links/agentLink.ts';
import { Refusal } from './refusal.ts';
import type { TurnRecord } from './turn.ts';

/** Waiting turns of one conversation, of all together, and bytes of their messages. */
const MAX_WAITING = 16;
const MAX_WAITING_ALL = 256;
const MAX_WAITING_BYTES = 32 * 1024 * 1024;

/** What an agent is to be asked: known until it is, and written down nowhere. */
export interface Asked {
  readonly message: readonly ContentPart[];
  readonly metadata: Readonly<Record<string, unknown>>;
}

/** Turns that wait, in order of arrival. */
export interface Waiting {
  /** Throws `Refusal` 429. `isIdle`: nothing runs, so that whatever comes is run at once. */
  checkRoom(conversation: string, bytes: number, isIdle: boolean): void;
  add(record: TurnRecord, asked: Asked): void;
  /** The first one of a conversation that is not busy. */
  take(
    busy: ReadonlySet<string | undefined>,
  ): { readonly record: TurnRecord; readonly asked: Asked } | undefined;
  /** False: it does not wait. */
  remove(record: TurnRecord): boolean;
  all(): readonly TurnRecord[];
  readonly count: number;
}

export function createWaiting(): Waiting {
  const queue: { readonly record: TurnRecord; readonly asked: Asked }[] = [];
  let bytesInAll = 0;
  const takeAt = (at: number) => {
    const [found] = at === -1 ? [] : queue.splice(at, 1);
    bytesInAll -= found?.record.messageBytes ?? 0;
    return found;
  };
  return {
    checkRoom: (conversation, bytes, isIdle) => {
      const refuse = (why: string) => new Refusal(429, 'too_many', why, { 'retry-after': '1' });
      if (queue.filter(({ record }) => record.conversation === conversation).length >= MAX_WAITING) {
        throw refuse(`${MAX_WAITING} messages of this conversation wait already`);
      }
      if (isIdle && queue.length === 0) return;
      if (queue.length >= MAX_WAITING_ALL || bytesInAll + bytes > MAX_WAITING_BYTES) {
        throw refuse('too many messages wait already');
      }
    },
    add: (record, asked) => {
      queue.push({ record, asked });
      bytesInAll += record.messageBytes;
    },
    take: (busy) => takeAt(queue.findIndex(({ record }) => !busy.has(record.conversation))),
    remove: (record) => takeAt(queue.findIndex((found) => found.record === record)) !== undefined,
    all: () => queue.map(({ record }) => record),
    get count() {
      return queue.length;
    },
  };
}
