import type { Ledger, LedgerLine } from '../../../../src/agent/ledger/ledger.ts';
import {
  AgentError,
  type TurnEnd,
  type TurnEvent,
  type TurnRequest,
} from '../../../../src/agent/links/agentLink.ts';
import type { Entry } from '../../../../src/agent/turns/entry.ts';
import type { Journal } from '../../../../src/agent/turns/journal.ts';
import { openTurns, type Turns } from '../../../../src/agent/turns/turns.ts';
import { type FakeClock, fakeClock } from '../../../support/fakeClock.ts';
import { memoryLog } from '../../../support/memoryLog.ts';

/** What outlives a process: the journal's entries, and the ledger's lines by id. */
export interface Disk {
  entries: Entry[];
  readonly lines: Map<string, LedgerLine>;
  /** Lines that were written, one a write: a known id again would be a turn charged twice. */
  readonly written: LedgerLine[];
}

export const newDisk = (): Disk => ({ entries: [], lines: new Map(), written: [] });

/** A turn that the agent was sent. */
export interface Sent {
  readonly request: TurnRequest;
  readonly tell: (event: TurnEvent) => void;
  readonly signal: AbortSignal;
  end(end?: Partial<TurnEnd>): void;
  fail(error: Error): void;
}

export interface ModelOptions {
  readonly disk?: Disk;
  readonly concurrency?: number;
  readonly timeoutMs?: number;
  /** Writes until the process dies; none after that has an effect. */
  readonly writesLeft?: number;
  /** The ledger writes a known id again: what it must not do. */
  readonly forgetful?: boolean;
}

export interface Model {
  readonly turns: Turns;
  /** While it is held, nothing is sent. */
  hold(isHeld: boolean): void;
  readonly sent: Sent[];
  readonly clock: FakeClock;
  readonly disk: Disk;
  readonly isDead: () => boolean;
}

/** The turns of one process over a disk that outlives it, with an agent that a test plays. */
export async function openModel(options: ModelOptions = {}): Promise<Model> {
  const { disk = newDisk(), concurrency = 4, timeoutMs = 600_000, forgetful = false } = options;
  let writesLeft = options.writesLeft ?? Number.POSITIVE_INFINITY;
  const clock = fakeClock();
  const sent: Sent[] = [];
  /** Whether this write still happens. Of a dead process nothing does, and nothing returns. */
  const mayWrite = () => {
    writesLeft -= 1;
    return writesLeft >= 0;
  };
  const dead = () => new Error('the process is dead');
  const journal: Journal = {
    read: () => disk.entries.map((entry) => structuredClone(entry)),
    append: (entry) => {
      if (!mayWrite()) throw dead();
      disk.entries.push(structuredClone(entry));
    },
    rewrite: (entries) => {
      if (!mayWrite()) throw dead();
      disk.entries = structuredClone([...entries]);
    },
    get size() {
      return JSON.stringify(disk.entries).length;
    },
    close: () => undefined,
  };
  const ledger: Ledger = {
    record: async (line) => {
      if (disk.lines.has(line.requestId) && !forgetful) return;
      if (!mayWrite()) throw dead();
      disk.lines.set(line.requestId, line);
      disk.written.push(line);
    },
    totals: () => Promise.reject(new Error('nobody asks')),
    trouble: () => undefined,
    close: async () => undefined,
  };
  let ids = 0;
  let isHeld = false;
  const turns = await openTurns({
    journal,
    ledger,
    clock,
    log: memoryLog().log,
    newId: () => {
      ids += 1;
      return `${disk.entries.length}-${ids}`;
    },
    bot: 'bot',
    kind: 'kind',
    timeoutMs,
    concurrency: () => concurrency,
    send: (request, tell, signal) =>
      new Promise((resolve, reject) => {
        if (writesLeft < 0) return;
        sent.push({
          request,
          tell,
          signal,
          end: (end = {}) => resolve({ stopReason: 'end', ...end }),
          fail: reject,
        });
      }),
    instance: () => 'ins_1',
    isHeld: () => isHeld,
    isStopping: () => false,
  });
  const hold = (held: boolean) => {
    isHeld = held;
    turns.pump();
  };
  return { turns, hold, sent, clock, disk, isDead: () => writesLeft < 0 };
}

export const died = () => new AgentError('agent_died', 'the agent died');

/** Lets everything that needs no time happen. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 50; i += 1) await Promise.resolve();
}

export const text = (words: string) => [{ type: 'text', text: words }] as const;
