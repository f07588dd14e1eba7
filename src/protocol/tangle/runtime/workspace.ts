import { posix } from 'node:path';

/** Where the disk of a sandbox is inside (`host/instances` puts it there): relative paths begin here, and only this is saved. */
export const WORKSPACE = '/workspace';
/** The same folder: the SDK uploads to the first, and falls back to the second. */
const ALIAS = /^\/home\/(user|agent)(?=\/|$)/;

/** A path as clients have it, absolute and by its first name. */
export const absolutePath = (path: string): string =>
  posix.resolve(WORKSPACE, path).replace(ALIAS, WORKSPACE);

/** Of an absolute path: it is the workspace, or below it. */
export const isInWorkspace = (path: string): boolean =>
  path === WORKSPACE || path.startsWith(`${WORKSPACE}/`);
