import { randomBytes } from 'node:crypto';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeFolders } from '../../base/makeFolders.ts';
import { makeOnce } from '../../base/makeOnce.ts';
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

/** `shared`: where the name and the key are, with the hosts of other parts of the same bots. */
export function hostIdentity({ data }: Folders, shared: string): HostIdentity {
  makeFolders(shared, 0o711);
  const draining = join(data, 'draining');
  const textOf = (file: string, bytes: number) =>
    makeOnce(join(shared, file), () => `${randomBytes(bytes).toString('hex')}\n`)
      .toString()
      .trim();
  return {
    id: textOf('host-id', 6),
    tokenKey: new Secret(textOf('token-key', 32)),
    draining: existsSync(draining),
    keepDraining: (on) => {
      if (on) writeFileSync(draining, '', { mode: 0o600 });
      else rmSync(draining, { force: true });
    },
  };
}
