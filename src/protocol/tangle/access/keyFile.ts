import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import * as v from 'valibot';
import { RuntimeError } from '../../../base/errors.ts';
import { SCOPES, type Scope } from './caller.ts';

/** A key as it is kept: whoever reads the file holds none. */
export interface KeptKey {
  readonly name: string;
  readonly scopes: readonly Scope[];
  /** SHA-256 of the key, hex. Keys have 256 random bits: a slow hash would protect nothing more. */
  readonly sha256: string;
  /** Milliseconds. */
  readonly createdAt: number;
  readonly expiresAt: number | undefined;
}

export const KEY_NAME = /^[a-z0-9][a-z0-9-]{0,62}$/;
/** The one of `RUNTIME_SERVE_KEY`. */
export const MAIN_KEY = 'default';

const MOST_BYTES = 2 ** 20;
const schema = v.array(
  v.object({
    name: v.pipe(v.string(), v.regex(KEY_NAME)),
    scopes: v.array(v.picklist(SCOPES)),
    sha256: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)),
    createdAt: v.number(),
    expiresAt: v.optional(v.number()),
  }),
);

/** In the folder of the server (`serve` below its data). */
export const keyFileIn = (folder: string): string => join(folder, 'keys.json');

/** No file: no keys. Throws `config` for one that is not as we write it. */
export function readKeyFile(path: string): readonly KeptKey[] {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) return [];
  try {
    if (found.size > MOST_BYTES) throw new Error('it is too large');
    const keys = v.parse(schema, JSON.parse(readFileSync(path, 'utf8')));
    return keys.map((key) => ({ ...key, expiresAt: key.expiresAt }));
  } catch (error) {
    throw new RuntimeError('config', `the keys in ${path} cannot be read: ${(error as Error).message}`, {
      path,
    });
  }
}
