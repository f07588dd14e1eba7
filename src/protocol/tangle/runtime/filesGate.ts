import { isFileOpen } from '../../../host/sandboxes/policy/evaluate.ts';
import { decoded } from '../http/decoded.ts';
import { HttpError, invalid } from '../http/httpError.ts';
import { readBytes } from '../http/readBody.ts';
import type { Call } from '../http/route.ts';
import { absolutePath } from './workspace.ts';

/** A file in a body is a string of JSON: in memory, so no more than this where its path has to be read. */
const MOST_BYTES = 32 * 2 ** 20;

/**
 * Holds calls about files to the folders of a policy. Resolves with the body where it had to be read to know. Such a policy has no
 * tool that runs commands (`readPolicy`), so nobody makes a link that leads out. Throws 403.
 */
export async function filesGate(
  call: Call,
  path: string,
  folders: readonly string[] | undefined,
): Promise<Buffer | undefined> {
  if (folders === undefined) return undefined;
  const check = (file: string) => {
    const absolute = absolutePath(file);
    if (isFileOpen(absolute, folders)) return;
    throw new HttpError(
      403,
      'POLICY_DENIED',
      `the file ${absolute} is not allowed; allowed: ${folders.join(', ')}`,
      {
        violations: [
          {
            rule: 'files',
            message: `the file ${absolute} is not allowed`,
            asked: absolute,
            allowed: folders,
          },
        ],
      },
    );
  };
  const [, named] =
    /^\/fs(?:\/(?:list|stat|exists|mkdir|download|download-dir)(?![A-Za-z-]))?(\/.*)$/.exec(path) ?? [];
  if (/^\/fs\/upload/.test(path) || (path.startsWith('/fs') && named === undefined))
    throw new HttpError(403, 'POLICY_DENIED', 'the policy names folders: files go in by /files/write alone');
  if (named !== undefined) check(decoded(named));
  if (!path.startsWith('/files')) return undefined;
  const body = await readBytes(call.request, MOST_BYTES);
  check(fileOf(body));
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
