import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import { RuntimeError } from '../../../base/errors.ts';
import type { Secret } from '../../../base/secret.ts';
import type { SandboxRecord } from '../record.ts';

/** Records have the values of secrets in them: whoever reads the store reads none of it. */
export interface RecordSeal {
  close(record: SandboxRecord): string;
  /** Throws `conflict` for what was closed with another key, or for another sandbox. */
  open(id: string, sealed: string): SandboxRecord;
}

const CIPHER = 'aes-256-gcm';
const [IV, TAG] = [12, 16];

/** `key`: the same on all hosts that share a store. */
export function recordSeal(key: Secret): RecordSeal {
  const secret = Buffer.from(hkdfSync('sha256', key.reveal(), '', 'runtime sandbox record v1', 32));
  return {
    close: (record) => {
      const iv = randomBytes(IV);
      const cipher = createCipheriv(CIPHER, secret, iv).setAAD(Buffer.from(record.id));
      const text = Buffer.concat([cipher.update(JSON.stringify(record)), cipher.final()]);
      return Buffer.concat([iv, cipher.getAuthTag(), text]).toString('base64');
    },
    open: (id, sealed) => {
      const bytes = Buffer.from(sealed, 'base64');
      const [iv, tag, text] = [bytes.subarray(0, IV), bytes.subarray(IV, IV + TAG), bytes.subarray(IV + TAG)];
      try {
        const cipher = createDecipheriv(CIPHER, secret, iv, { authTagLength: TAG });
        cipher.setAAD(Buffer.from(id)).setAuthTag(tag);
        return JSON.parse(Buffer.concat([cipher.update(text), cipher.final()]).toString()) as SandboxRecord;
      } catch (cause) {
        throw new RuntimeError('conflict', `the record of sandbox ${id} is sealed with another key`, {
          op: 'sandboxes.open',
          path: id,
          hint: 'Hosts that share a store have the same RUNTIME_SERVE_POOL_KEY, or else the same key to the store.',
          cause,
        });
      }
    },
  };
}
