import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { replaceFile } from '../../base/replaceFile.ts';
import { Secret } from '../../base/secret.ts';
import type { Folders } from '../data/folders.ts';

/** What a host makes once and keeps: its name on the engine, its key, and whether it is drained. */
export interface HostIdentity {
  /** Value of the label `runtime.host`. */
  readonly id: string;
  /** Signs the tokens of single bots. */
  readonly tokenKey: Secret;
  readonly draining: boolean;
  keepDraining(on: boolean): void;
}

export function hostIdentity({ data }: Folders): HostIdentity {
  const draining = join(data, 'draining');
  return {
    id: kept(join(data, 'host-id'), () => randomBytes(6).toString('hex')),
    tokenKey: new Secret(kept(join(data, 'token-key'), () => randomBytes(32).toString('hex'))),
    draining: existsSync(draining),
    keepDraining: (on) => {
      if (on) writeFileSync(draining, '', { mode: 0o600 });
      else rmSync(draining, { force: true });
    },
  };
}

function kept(file: string, make: () => string): string {
  if (!existsSync(file)) replaceFile(file, `${make()}\n`, { mode: 0o600 });
  return readFileSync(file, 'utf8').trim();
}
