import { randomBytes } from 'node:crypto';
import { existsSync, linkSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemCode } from '../../base/errors.ts';
import { makeFolders } from '../../base/makeFolders.ts';
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
  return {
    id: kept(join(shared, 'host-id'), () => randomBytes(6).toString('hex')),
    tokenKey: new Secret(kept(join(shared, 'token-key'), () => randomBytes(32).toString('hex'))),
    draining: existsSync(draining),
    keepDraining: (on) => {
      if (on) writeFileSync(draining, '', { mode: 0o600 });
      else rmSync(draining, { force: true });
    },
  };
}

/** Whole or not there: hosts that share it may begin at the same time, and the first one's is what all read. */
function kept(file: string, make: () => string): string {
  if (!existsSync(file)) {
    const own = `${file}.${randomBytes(4).toString('hex')}`;
    writeFileSync(own, `${make()}\n`, { flag: 'wx', mode: 0o600 });
    try {
      linkSync(own, file);
    } catch (error) {
      if (systemCode(error) !== 'EEXIST') throw error;
    } finally {
      rmSync(own, { force: true });
    }
  }
  return readFileSync(file, 'utf8').trim();
}
