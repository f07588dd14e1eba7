import type { TurnEvent } from '../links/agentLink.ts';

/** An event between `start` and `end`, as it is kept: of a delta its length in the reply. */
export type LogItem =
  | readonly ['d', number]
  | readonly ['h', string]
  | readonly ['t', string, string, string];

/** Characters of a reply, and of everything else that a turn says. */
const MAX_REPLY = 4 * 1024 * 1024;
const MAX_ASIDE = 4 * 1024 * 1024;
/** From here on deltas are put together, so that a turn of single characters stays small. */
const MANY_ITEMS = 4096;
const JOINED = 4096;
/** More than that are no events any more. */
const MAX_ITEMS = 65_536;

export interface ShownEvent {
  readonly id: number;
  readonly type: 'delta' | 'thought' | 'tool';
  readonly data: Readonly<Record<string, string>>;
}

/**
 * What a turn has said so far: its reply, and in which pieces. Ids of events begin at 2, since `start` is 1. While it grows the pieces are
 * kept as they came: a text that is put together anew with each of them would be copied as often. Sealed, it is one text.
 */
export class EventLog {
  readonly items: LogItem[] = [];
  /** Of each delta its text, while it grows. */
  #pieces: string[] | undefined = [];
  /** Of each item where the reply ends after it. */
  readonly #ends: number[] = [];
  #reply = '';
  #aside = 0;

  static of(reply: string, items: readonly LogItem[]): EventLog {
    const log = new EventLog();
    for (const item of items) log.#push(item, item[0] === 'd' ? item[1] : 0, '');
    log.#pieces = undefined;
    log.#reply = reply;
    return log;
  }

  get reply(): string {
    return this.#pieces === undefined ? this.#reply : this.#pieces.join('');
  }

  /** Nothing is added any more. */
  seal(): void {
    this.#reply = this.reply;
    this.#pieces = undefined;
  }

  /** Characters that it holds, more or less. */
  get size(): number {
    return this.#length + this.#aside + 16 * this.items.length;
  }

  /** False: too much was said; nothing of this event is kept. */
  add(event: Exclude<TurnEvent, { type: 'usage' }>): boolean {
    if (event.type === 'delta') return event.text === '' || this.#addDelta(event.text);
    const item: LogItem =
      event.type !== 'tool' ? ['h', event.text] : ['t', event.id, event.name, event.status];
    const length = item.reduce<number>((sum, part) => sum + String(part).length, 0);
    if (this.#aside + length > MAX_ASIDE || this.items.length >= MAX_ITEMS) return false;
    this.#aside += length;
    this.#push(item, 0, '');
    return true;
  }

  /** The last delta, while it may still grow, is not shown. */
  shownItems(isOver: boolean): number {
    return this.items.length - (isOver || !this.#isGrowing() ? 0 : 1);
  }

  event(index: number): ShownEvent {
    const item = this.items[index] as LogItem;
    const id = index + 2;
    if (item[0] === 'h') return { id, type: 'thought', data: { text: item[1] } };
    if (item[0] === 't') return { id, type: 'tool', data: { id: item[1], name: item[2], status: item[3] } };
    const end = this.#ends[index] as number;
    const text = this.#pieces?.[index] ?? this.#reply.slice(end - item[1], end);
    return { id, type: 'delta', data: { text } };
  }

  get #length(): number {
    return this.#ends.at(-1) ?? 0;
  }

  #addDelta(text: string): boolean {
    if (this.#length + text.length > MAX_REPLY || this.items.length >= MAX_ITEMS) return false;
    const at = this.items.length - 1;
    if (this.#isGrowing() && this.#pieces) {
      this.items[at] = ['d', (this.items[at]?.[1] as number) + text.length];
      this.#ends[at] = this.#length + text.length;
      this.#pieces[at] += text;
    } else this.#push(['d', text.length], text.length, text);
    return true;
  }

  #isGrowing(): boolean {
    const last = this.items.at(-1);
    return this.items.length > MANY_ITEMS && last?.[0] === 'd' && last[1] < JOINED;
  }

  #push(item: LogItem, length: number, piece: string): void {
    this.#ends.push(this.#length + length);
    this.items.push(item);
    this.#pieces?.push(piece);
  }
}
