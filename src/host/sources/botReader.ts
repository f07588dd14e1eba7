import type { Clock } from '../../base/clock.ts';
import { isRuntimeError, RuntimeError } from '../../base/errors.ts';
import type { ObjectStore } from '../../store/objectStore.ts';
import { type BotFileOnDisk, type BotFileRead, readBotFile } from './readBotFile.ts';

export interface BotReader {
  /** Undefined: its code cannot be brought to the store now; read it again later. */
  read(file: BotFileOnDisk, fingerprint: string): Promise<BotFileRead | undefined>;
}

/** What a store that answers takes at most for the code of one bot, milliseconds. */
const PATIENCE_MS = 2_000;

interface Reading {
  readonly key: string;
  readonly entry: Promise<BotFileRead | undefined>;
  isOver: boolean;
}

/**
 * Reads bots' files. One whose code waits for the store holds up no other: it goes on by itself, and until it has ended no second one
 * asks the store.
 */
export function createBotReader(clock: Clock, store: () => Promise<ObjectStore>): BotReader {
  let first: Reading | undefined;

  function begin(file: BotFileOnDisk, key: string): Reading {
    const mayAsk = first === undefined || first.isOver;
    const open = async () => {
      if (mayAsk) return await store();
      throw new RuntimeError('unavailable', 'another bot waits for the store');
    };
    const entry = readBotFile(file, clock.now(), open).catch((error: unknown) => {
      if (isRuntimeError(error, 'unavailable')) return undefined;
      throw error;
    });
    const reading: Reading = { key, entry, isOver: false };
    if (mayAsk) first = reading;
    const over = () => {
      reading.isOver = true;
    };
    void entry.then(over, over);
    return reading;
  }

  return {
    read: async (file, fingerprint) => {
      const key = `${file.path} ${fingerprint}`;
      const reading = first?.key === key ? first : begin(file, key);
      const patience = new AbortController();
      const late = clock.sleep(PATIENCE_MS, patience.signal).catch(() => undefined);
      await Promise.race([reading.entry, late]).finally(() => patience.abort());
      if (!reading.isOver) return undefined;
      if (first === reading) first = undefined;
      return await reading.entry;
    },
  };
}
