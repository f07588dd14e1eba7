import { RuntimeError, systemCode } from '../../base/errors.ts';

const absent = new Set(['ENOENT', 'ENOTDIR', 'ENAMETOOLONG', 'ELOOP', 'EISDIR', 'ENXIO']);
const forbidden = new Set(['EACCES', 'EPERM', 'EROFS']);
const full = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);
const clash = new Set(['EEXIST', 'EISDIR', 'ENOTDIR', 'ENOTEMPTY']);

/** What an error of the file system's means for an object that is read. */
export function readFailure(error: unknown, op: string, path: string): unknown {
  if (absent.has(systemCode(error) ?? '')) return notFound(op, path, error);
  return failure(error, op, path);
}

/** The same for one that is written. */
export function writeFailure(error: unknown, op: string, path: string): unknown {
  const code = systemCode(error) ?? '';
  if (clash.has(code))
    return new RuntimeError('damaged', `${path} clashes with another object: one key continues the other`, {
      op,
      path,
      cause: error,
    });
  if (code === 'ENAMETOOLONG')
    return new RuntimeError('damaged', `${path}: a part of the key is too long for this file system`, {
      op,
      path,
      cause: error,
    });
  return failure(error, op, path);
}

export function notFound(op: string, path: string, cause?: unknown): RuntimeError {
  return new RuntimeError('not-found', `no object ${path}`, { op, path, cause });
}

function failure(error: unknown, op: string, path: string): unknown {
  const code = systemCode(error);
  // Node's own errors (`ERR_…`, `ABORT_ERR`) are not the file system's.
  if (code === undefined || !/^E[A-Z0-9]+$/.test(code)) return error;
  if (forbidden.has(code))
    return new RuntimeError('denied', `${path}: ${code}`, {
      op,
      path,
      cause: error,
      hint: 'The user that the runtime runs as must be able to read and write the store directory.',
    });
  if (full.has(code))
    return new RuntimeError('unavailable', `${path}: the store's disk is full (${code})`, {
      op,
      path,
      cause: error,
      hint: 'Free space on the disk that holds the store directory.',
    });
  return new RuntimeError('unavailable', `${path}: ${code}`, { op, path, retryable: true, cause: error });
}
