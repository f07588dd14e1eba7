import type { Rules } from '../../../host/sandboxes/policy/policy.ts';
import { decoded } from '../http/decoded.ts';
import { HttpError, invalid } from '../http/httpError.ts';
import { readBytes } from '../http/readBody.ts';
import type { Call } from '../http/route.ts';
import { checkFile } from './checkFile.ts';

/** A file in a body is a string of JSON: in memory, so no more than this where its path has to be read. */
const MOST_BYTES = 32 * 2 ** 20;

/**
 * Holds calls about files to the folders of a policy. Resolves with the body where it had to be read to know. Such a policy has no
 * tool that runs commands (`readPolicy`), so nobody makes a link that leads out. Throws 403.
 */
export async function filesGate(call: Call, path: string, rules: Rules): Promise<Buffer | undefined> {
  if (rules.files === undefined) return undefined;
  const [, named] =
    /^\/fs(?:\/(?:list|stat|exists|mkdir|download|download-dir)(?![A-Za-z-]))?(\/.*)$/.exec(path) ?? [];
  if (/^\/fs\/upload/.test(path) || (path.startsWith('/fs') && named === undefined))
    throw new HttpError(403, 'POLICY_DENIED', 'the policy names folders: files go in by /files/write alone');
  if (named !== undefined) checkFile(decoded(named), rules);
  if (!path.startsWith('/files')) return undefined;
  const body = await readBytes(call.request, MOST_BYTES);
  checkFile(fileOf(body), rules);
  return body;
}

function fileOf(body: Buffer): string {
  let path: unknown;
  try {
    ({ path } = JSON.parse(body.toString()) as { path?: unknown });
  } catch {
    // What has no path is open to nobody.
  }
  if (typeof path === 'string') return path;
  throw invalid({ path: 'expected a text' });
}
