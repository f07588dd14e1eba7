import { randomBytes } from 'node:crypto';
import type { Sandbox, Sandboxes } from '../../../host/sandboxes/sandboxes.ts';
import type { Caller } from '../access/caller.ts';
import { refuseMore } from '../http/refuseMore.ts';
import { openJsonFiles } from '../openJsonFiles.ts';

/**
 * The room of previews: links to what listens inside of a sandbox, for a browser, which has no key. Whoever has the link has that port, and
 * nothing else.
 *
 *   openPreviews    what links there are, on the disk
 *   previewRoutes   `/preview-links`, and the way in
 */
export interface Preview {
  /** Nobody guesses it: it is all that the link asks for. */
  readonly id: string;
  readonly sandbox: string;
  /** The key by which it was made: when that goes, so does the link. */
  readonly holder: string;
  readonly port: number;
  readonly protocol: string;
  /** Milliseconds. */
  readonly createdAt: number;
}

export interface Previews {
  /** Or the one that there is of that port and this key. Throws 429. */
  make(sandbox: Sandbox, by: Caller, port: number, protocol: string): Preview;
  of(sandbox: string): readonly Preview[];
  /** Undefined as well where its sandbox, or the key that it was made for, is gone. */
  find(sandbox: string, id: string): Preview | undefined;
  drop(id: string): void;
}

export interface PreviewsOptions {
  readonly folder: string;
  readonly sandboxes: Pick<Sandboxes, 'find'>;
  readonly isKey: (name: string) => boolean;
  readonly now: () => number;
}

const MOST_OF_SANDBOX = 64;

export function openPreviews({ folder, sandboxes, isKey, now }: PreviewsOptions): Previews {
  const files = openJsonFiles<Preview>(folder);
  const all = new Map(files.found.map((preview) => [preview.id, preview]));
  const drop = (id: string) => {
    files.remove(id);
    all.delete(id);
  };
  const isGone = ({ sandbox }: Preview) => sandboxes.find(sandbox) === undefined;
  const of = (sandbox: string) => [...all.values()].filter((each) => each.sandbox === sandbox);

  return {
    make: ({ id }, { name, by = name }, port, protocol) => {
      for (const each of all.values()) if (isGone(each)) drop(each.id);
      const before = of(id);
      const same = before.find((each) => each.port === port && each.holder === by);
      if (same !== undefined) return same;
      refuseMore(`sandbox ${id} has`, 'previews', before.length, MOST_OF_SANDBOX);
      const made = {
        id: `prv-${randomBytes(20).toString('hex')}`,
        sandbox: id,
        holder: by,
        port,
        protocol,
        createdAt: now(),
      };
      files.put(made);
      all.set(made.id, made);
      return made;
    },
    of,
    find: (sandbox, id) => {
      const found = all.get(id);
      return found?.sandbox === sandbox && !isGone(found) && isKey(found.holder) ? found : undefined;
    },
    drop,
  };
}
