import { readlinkSync } from 'node:fs';
import { resolve } from 'node:path';
import { BoxError, invalid } from '../http/boxError.ts';

/** A path of a request: a relative one begins at the workspace. Throws `BoxError` 400. */
export function readPath(workspace: string, value: unknown, field = 'path'): string {
  if (typeof value !== 'string' || value === '') throw invalid(field, 'is missing');
  if (value.includes('\0')) throw invalid(field, 'holds a NUL');
  return resolve(workspace, value);
}

/**
 * The path that a client has pasted behind a route as it was: `/etc` behind `/fs/list`, or `src`, which begins at the workspace as nothing at
 * all does. A `%` that begins no escape makes the whole of it mean itself.
 */
export function pathOfUrl(workspace: string, rest = ''): string {
  return readPath(workspace, rest === '' ? '.' : decoded(rest));
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** What the system tells of us alone, our environment among it, is nobody's file. Throws `BoxError` 403. */
export function refuseOwn(fd: number): void {
  const path = readlinkSync(`/proc/self/fd/${fd}`);
  if (path.startsWith(`/proc/${process.pid}/`))
    throw new BoxError(403, 'FORBIDDEN', `${path} is the box's own`);
}
