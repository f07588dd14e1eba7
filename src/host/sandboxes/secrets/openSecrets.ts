import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { RuntimeError } from '../../../base/errors.ts';
import { makeFolders } from '../../../base/makeFolders.ts';
import { replaceFile } from '../../../base/replaceFile.ts';
import { Secret } from '../../../base/secret.ts';

export interface KeptSecret {
  readonly name: string;
  readonly value: Secret;
  /** Milliseconds. */
  readonly createdAt: number;
  readonly updatedAt: number;
}

/** Secrets of each owner, by name. Nobody else sees that there is one. */
export interface Secrets {
  all(owner: string): readonly KeptSecret[];
  find(owner: string, name: string): KeptSecret | undefined;
  /** Throws `conflict` where there is one of that name, `unavailable` where there are too many. */
  add(owner: string, name: string, value: Secret): KeptSecret;
  /** Throws `not-found`. Sandboxes that were made with the old value keep it. */
  change(owner: string, name: string, value: Secret): KeptSecret;
  /** Throws `not-found`. */
  remove(owner: string, name: string): void;
}

const MOST = 1000;

/** One file for each owner, 0600, replaced whole: a crash leaves the old one or the new one. */
export function openSecrets(folder: string, now: () => number): Secrets {
  makeFolders(folder, 0o700);
  const read = new Map<string, Map<string, KeptSecret>>();
  const pathOf = (owner: string) => join(folder, `${encodeURIComponent(owner)}.json`);

  function of(owner: string): Map<string, KeptSecret> {
    let found = read.get(owner);
    if (found === undefined) {
      const kept = existsSync(pathOf(owner))
        ? (JSON.parse(readFileSync(pathOf(owner), 'utf8')) as Line[])
        : [];
      found = new Map(kept.map((line) => [line.name, { ...line, value: new Secret(line.value) }]));
      read.set(owner, found);
    }
    return found;
  }

  function write(owner: string, secrets: Map<string, KeptSecret>): void {
    const lines = [...secrets.values()].map((one): Line => ({ ...one, value: one.value.reveal() }));
    replaceFile(pathOf(owner), JSON.stringify(lines), { mode: 0o600 });
    read.set(owner, secrets);
  }

  function existing(owner: string, name: string): KeptSecret {
    const found = of(owner).get(name);
    if (found === undefined) throw new RuntimeError('not-found', `there is no secret ${name}`);
    return found;
  }

  return {
    all: (owner) => [...of(owner).values()].sort((a, b) => a.name.localeCompare(b.name)),
    find: (owner, name) => of(owner).get(name),
    add: (owner, name, value) => {
      const secrets = of(owner);
      if (secrets.has(name)) throw new RuntimeError('conflict', `there is a secret ${name} already`);
      if (secrets.size >= MOST) throw new RuntimeError('unavailable', `there are ${MOST} secrets already`);
      const made = { name, value, createdAt: now(), updatedAt: now() };
      write(owner, new Map(secrets).set(name, made));
      return made;
    },
    change: (owner, name, value) => {
      const changed = { ...existing(owner, name), value, updatedAt: now() };
      write(owner, new Map(of(owner)).set(name, changed));
      return changed;
    },
    remove: (owner, name) => {
      existing(owner, name);
      const left = new Map(of(owner));
      left.delete(name);
      write(owner, left);
    },
  };
}

type Line = Omit<KeptSecret, 'value'> & { readonly value: string };
