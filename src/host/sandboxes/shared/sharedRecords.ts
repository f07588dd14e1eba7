import * as v from 'valibot';
import { isRuntimeError, RuntimeError } from '../../../base/errors.ts';
import type { ObjectStore } from '../../../store/objectStore.ts';
import { getBytes } from '../../../store/readAll.ts';
import type { SandboxRecord } from '../record.ts';
import type { RecordSeal } from './recordSeal.ts';

/**
 * The room of hosts that share a store. Each sandbox's record also lies in the store, with the name of the one host that has it, or of
 * none: one that has ended, and is saved, is nobody's, and whoever writes his name first has it.
 *
 *   sharedRecords, recordSeal   the objects, changed only as they were read
 *   whoseIs                     what a record in the store says of one that is written down here
 *   createClaims                takes, tells and gives back; from the store's answers, never from a clock
 *   settleRecords               at the start: what of this host's own is still its own
 *   watchClaims                 what others have taken, while this host was not asked
 */

/** The record of one sandbox as the store has it. */
export interface SharedRecord {
  /** The host that has it; undefined: none. */
  readonly holder: string | undefined;
  readonly tag: string;
  /** Throws `conflict`: it is sealed with a key that this host has not. */
  open(): SandboxRecord;
}

/** Errors besides: those of the store. */
export interface SharedRecords {
  /** This host's name. */
  readonly host: string;
  read(id: string): Promise<SharedRecord | undefined>;
  /** Over exactly this one; `tag` undefined: where there is none. Gives the new tag. Throws `conflict`. */
  write(record: SandboxRecord, holder: string | undefined, tag: string | undefined): Promise<string>;
  remove(id: string): Promise<void>;
  /** The tags of all. */
  tags(): Promise<ReadonlyMap<string, string>>;
}

/** In the bucket for code: no bot has keys to it. */
const FOLDER = 'sandboxes/records/';
const MOST_BYTES = 4 * 2 ** 20;

const schema = v.object({
  version: v.literal(1),
  holder: v.nullable(v.string()),
  sealed: v.string(),
});

export function openSharedRecords(
  host: string,
  open: () => Promise<ObjectStore>,
  seal: RecordSeal,
  signal: AbortSignal,
): SharedRecords {
  const key = (id: string) => `${FOLDER}${id}.json`;
  return {
    host,
    read: async (id) => {
      try {
        const { bytes, etag } = await getBytes(await open(), key(id), { maxBytes: MOST_BYTES, signal });
        const { holder, sealed } = parse(id, bytes);
        return { holder: holder ?? undefined, tag: etag, open: () => seal.open(id, sealed) };
      } catch (error) {
        if (isRuntimeError(error, 'not-found')) return undefined;
        throw error;
      }
    },
    write: async (record, holder, tag) => {
      const text = { version: 1, holder: holder ?? null, sealed: seal.close(record) };
      const condition = tag === undefined ? { ifNoneMatch: '*' as const } : { ifMatch: tag };
      const store = await open();
      try {
        const { etag } = await store.put(key(record.id), Buffer.from(JSON.stringify(text)), {
          ...condition,
          signal,
        });
        return etag;
      } catch (error) {
        // Taken away meanwhile: to some stores there is nothing then that could match.
        if (tag === undefined || !isRuntimeError(error, 'not-found')) throw error;
        throw new RuntimeError('conflict', `the record of sandbox ${record.id} is gone`, { cause: error });
      }
    },
    remove: async (id) => await (await open()).delete(key(id), { signal }),
    tags: async () => {
      const found = new Map<string, string>();
      const store = await open();
      for await (const { key: name, etag } of store.list(FOLDER, { signal }))
        found.set(name.slice(FOLDER.length, -'.json'.length), etag);
      return found;
    },
  };
}

function parse(id: string, bytes: Buffer): v.InferOutput<typeof schema> {
  try {
    return v.parse(schema, JSON.parse(bytes.toString()));
  } catch (cause) {
    throw new RuntimeError('damaged', `the shared record of sandbox ${id} cannot be read`, {
      op: 'sandboxes.read',
      path: id,
      cause,
    });
  }
}
