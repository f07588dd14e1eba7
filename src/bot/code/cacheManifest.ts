import { hash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import type { TreeEntry } from './treeEntry.ts';

/** What an entry of the code cache holds. */
export interface CacheManifest {
  readonly version: 1;
  /** Bytes of the archive that was unpacked. */
  readonly archiveBytes: number;
  readonly entries: readonly TreeEntry[];
  /** Hex SHA-256 of each file, by path. */
  readonly digests: Readonly<Record<string, string>>;
}

/** A line with the SHA-256 of what follows, then JSON: a manifest that lost or changed a byte is found out. */
export function writeCacheManifest(file: string, manifest: CacheManifest): void {
  const json = JSON.stringify(manifest);
  writeFileSync(file, `${hash('sha256', json)}\n${json}`, { flag: 'wx', mode: 0o644 });
}

/** Throws when the manifest is damaged or of another version. */
export function readCacheManifest(file: string): CacheManifest {
  const text = readFileSync(file, 'utf8');
  const json = text.slice(65);
  if (text.slice(0, 64) !== hash('sha256', json)) throw new Error('its manifest is damaged');
  const manifest: CacheManifest = JSON.parse(json);
  if (manifest.version !== 1) throw new Error(`its manifest has version ${manifest.version}`);
  return manifest;
}
