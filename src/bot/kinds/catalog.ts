import type { Kind } from './kind.ts';

export interface CatalogEntry {
  readonly id: string;
  readonly aliases: readonly string[];
  readonly name: string;
  readonly description: string;
  readonly status: Kind['status'];
  readonly footprint: string;
  readonly source: readonly string[];
}

/** The kinds as people and orchestrators see them. */
export function catalog(kinds: readonly Kind[]): readonly CatalogEntry[] {
  return kinds.map(({ id, aliases, displayName, description, status, footprint, source }) => ({
    id,
    aliases,
    name: displayName,
    description,
    status,
    footprint,
    source,
  }));
}
