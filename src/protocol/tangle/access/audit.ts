import { closeSync, fstatSync, openSync, readdirSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { makeFolders } from '../../../base/makeFolders.ts';
import { withoutPreview } from '../previews/withoutPreview.ts';
import type { Answered } from '../startFront.ts';

/** Who asked for what, and what became of it: never a body, a secret or a token. */
export interface AuditLine {
  /** `x-request-id` of the answer. */
  readonly id: string;
  /** Name of the key; empty: none. */
  readonly key: string;
  readonly method: string;
  /** Without its query string, which may name files. */
  readonly path: string;
  readonly status: number;
  /** Of an error. */
  readonly code?: string | undefined;
  readonly address: string | undefined;
  readonly ms: number;
}

export interface Audit {
  write(line: AuditLine): void;
  close(): void;
}

const FILE_BYTES = 16 * 2 ** 20;
const FILES = 4;

/**
 * One JSON line for each call that changes something or was refused, in files of 16 MiB, the last four: `audit/` below the server's
 * folder. A line is in the kernel's hands when `write` returns. A disk that takes none loses lines, never calls.
 */
export function openAudit(folder: string, now: () => number, failed: (error: unknown) => void): Audit {
  makeFolders(folder, 0o700);
  const names = () =>
    readdirSync(folder)
      .filter((name) => /^\d{15}\.ndjson$/.test(name))
      .sort();
  const open = (name: string) => openSync(join(folder, name), 'a', 0o600);
  let fd = open(names().at(-1) ?? nameOf(now()));
  let bytes = fstatSync(fd).size;

  return {
    write: (line) => {
      try {
        const text = `${JSON.stringify({ at: new Date(now()).toISOString(), ...line })}\n`;
        writeSync(fd, text);
        bytes += Buffer.byteLength(text);
        if (bytes < FILE_BYTES) return;
        const next = open(nameOf(now()));
        closeSync(fd);
        [fd, bytes] = [next, 0];
        for (const name of names().slice(0, -FILES)) rmSync(join(folder, name), { force: true });
      } catch (error) {
        failed(error);
      }
    },
    close: () => closeSync(fd),
  };
}

const nameOf = (at: number) => `${String(at).padStart(15, '0')}.ndjson`;

/** What changes something, and what was refused. */
export function isAudited({ request, status }: Answered): boolean {
  return (request.method !== 'GET' && request.method !== 'HEAD') || [401, 403, 429, 503].includes(status);
}

export function auditLine({ id, request, caller, status, code, ms }: Answered): AuditLine {
  const { method = '', url = '', socket } = request;
  const [path = ''] = url.split('?');
  return {
    id,
    key: caller?.name ?? '',
    method,
    path: withoutPreview(path).slice(0, 1024),
    status,
    code,
    address: socket.remoteAddress,
    ms: Math.round(ms),
  };
}
