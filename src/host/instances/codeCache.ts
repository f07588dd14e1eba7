import { chmodSync, existsSync, lstatSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { makeFolders } from '../../base/makeFolders.ts';
import { replaceFile } from '../../base/replaceFile.ts';
import { pullCode } from '../../bot/code/pullCode.ts';
import type { ObjectStore } from '../../store/objectStore.ts';
import type { CodeRef } from '../bots/botSpec.ts';
import type { Folders } from '../data/folders.ts';

const IN_MEMORY_BYTES = 8 * 2 ** 20;
const TEMPORARY = '.new-';

/** Code archives unpacked once for all bots of a host, by content; what an instance mounts, read-only. */
export interface CodeCache {
  /** The archive's SHA-256 when it is here; undefined: `fetch` first. */
  known(bot: string, code: CodeRef): string | undefined;
  /** Brings it here. What is fetched by several at once is fetched once. Errors as `pullCode`. */
  fetch(bot: string, code: CodeRef, signal: AbortSignal): Promise<string>;
  folder(sha256: string): string;
  /** Looks at what lies under the bot's key anew. */
  renew(bot: string): void;
  /** Removes what none of these needs. */
  prune(needed: ReadonlySet<string>): void;
}

export function openCodeCache(options: {
  readonly folders: Folders;
  readonly store: () => Promise<ObjectStore>;
  readonly maxBytes: number;
  readonly warn: (message: string) => void;
}): CodeCache {
  const { folders } = options;
  makeFolders(folders.code, 0o711);
  for (const name of readdirSync(folders.code))
    if (name.startsWith(TEMPORARY)) rmSync(join(folders.code, name), { recursive: true, force: true });
  const under = new Map<string, Promise<string>>();
  const folder = (sha256: string) => join(folders.code, sha256);

  async function pull(code: CodeRef, signal: AbortSignal): Promise<string> {
    const temporary = join(folders.code, `${TEMPORARY}${process.hrtime.bigint().toString(36)}`);
    try {
      const { sha256 } = await pullCode({
        store: await options.store(),
        key: code.file,
        sha256: code.sha256,
        maxBytes: options.maxBytes,
        into: temporary,
        inMemoryBytes: IN_MEMORY_BYTES,
        signal,
        warn: options.warn,
      });
      readableByAll(temporary);
      if (!existsSync(folder(sha256))) renameSync(temporary, folder(sha256));
      return sha256;
    } finally {
      rmSync(temporary, { recursive: true, force: true });
    }
  }

  return {
    folder,
    known: (bot, code) => {
      const sha256 = code.sha256 ?? pinned(folders.bot(bot).code, code.file);
      return sha256 !== undefined && existsSync(folder(sha256)) ? sha256 : undefined;
    },
    fetch: async (bot, code, signal) => {
      const key = `${code.file} ${code.sha256 ?? ''}`;
      let pulling = under.get(key);
      if (pulling === undefined) {
        pulling = pull(code, signal).finally(() => under.delete(key));
        under.set(key, pulling);
      }
      const sha256 = await pulling;
      // What lies under the key may change: this bot has this archive until its specification changes.
      if (code.sha256 === undefined) pin(folders.bot(bot).code, code.file, sha256);
      return sha256;
    },
    renew: (bot) => rmSync(folders.bot(bot).code, { force: true }),
    prune: (needed) => {
      for (const name of readdirSync(folders.code))
        if (!name.startsWith(TEMPORARY) && !needed.has(name))
          rmSync(folder(name), { recursive: true, force: true });
    },
  };
}

function pinned(file: string, key: string): string | undefined {
  try {
    const value = JSON.parse(readFileSync(file, 'utf8'));
    return value.file === key && /^[0-9a-f]{64}$/.test(value.sha256) ? value.sha256 : undefined;
  } catch {
    return undefined;
  }
}

function pin(file: string, key: string, sha256: string): void {
  replaceFile(file, `${JSON.stringify({ file: key, sha256 })}\n`, { mode: 0o600 });
}

/** Each bot is another user. The tree is ours alone: nobody plants a link in it while we walk. */
function readableByAll(path: string): void {
  const stat = lstatSync(path);
  if (stat.isSymbolicLink()) return;
  chmodSync(path, (stat.mode & 0o777) | (stat.isDirectory() || (stat.mode & 0o100) !== 0 ? 0o555 : 0o444));
  if (stat.isDirectory()) for (const name of readdirSync(path)) readableByAll(join(path, name));
}
