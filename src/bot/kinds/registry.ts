import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { RuntimeError, systemCode } from '../../base/errors.ts';
import { builtInKinds } from './builtIn.ts';
import type { Kind } from './kind.ts';
import type { BrokenManifest, LoadedManifests } from './manifest/load.ts';
import { experimentalPolicy, type KindMiddleware, withMiddleware } from './middleware.ts';

export interface Kinds {
  /** The kind with this id or alias; `config` for an unknown one, with the known ones. */
  get(idOrAlias: string): Kind;
  all(): readonly Kind[];
  /** What is left out, and why. */
  readonly broken: readonly BrokenManifest[];
}

export interface KindsOptions {
  /** `KINDS_PATH`; need not exist. */
  readonly manifestsDir: string;
  readonly allowExperimental: boolean;
  /** Inside the policy on experimental kinds; the first one is the outermost. */
  readonly middleware?: readonly KindMiddleware[];
}

/** The built-in kinds, then those of manifests that are sound. `config` where the folder itself cannot be read. */
export async function loadKinds(options: KindsOptions): Promise<Kinds> {
  const files = manifestFiles(options.manifestsDir);
  const manifests: LoadedManifests =
    files.length === 0
      ? { kinds: [], broken: [] }
      : await (await import('./parts/manifests.ts')).loadManifests(files, builtInKinds);
  const middleware = [experimentalPolicy(options.allowExperimental), ...(options.middleware ?? [])];
  const kinds = [...builtInKinds, ...manifests.kinds].map((kind) => withMiddleware(kind, middleware));
  const byName = new Map(
    kinds.flatMap((kind) => [kind.id, ...kind.aliases].map((name) => [name, kind] as const)),
  );
  return {
    get: (name) => {
      const kind = byName.get(name);
      if (kind !== undefined) return kind;
      throw new RuntimeError('config', `RUNTIME=${JSON.stringify(name)} is not a known kind`, {
        hint: `known: ${[...byName.keys()].join(', ')}`,
      });
    },
    all: () => kinds,
    broken: manifests.broken,
  };
}

/** Synchronous: on the way to every bot's start, and `node:fs/promises` costs 1.5 ms to load. */
function manifestFiles(directory: string): readonly string[] {
  const names = namesIn(directory);
  return names
    .filter((name) => /^[^.].*\.ya?ml$/.test(name))
    .sort()
    .map((name) => join(directory, name));
}

function namesIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return [];
    throw new RuntimeError('config', `cannot read the manifests of kinds in ${directory}`, {
      path: directory,
      cause: error,
    });
  }
}
