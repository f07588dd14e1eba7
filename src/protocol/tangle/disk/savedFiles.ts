import { decoded } from '../http/decoded.ts';
import { invalid } from '../http/httpError.ts';
import type { Answer, Call } from '../http/route.ts';
import type { Parts } from '../parts.ts';
import { type DiskVerb, diskAnswer, diskPath } from './diskAnswer.ts';

const FS = /^\/fs\/(list|stat|exists|download-dir|download)(?![A-Za-z-])(\/.*)?$/;

/** What a call of the API inside wants of the files, when a disk in the store can answer it. */
export function savedVerb(
  method: string,
  path: string,
): { readonly verb: DiskVerb; readonly path: string } | undefined {
  if (method === 'POST' && path === '/files/read') return { verb: 'read', path: '' };
  const [, verb, named = ''] = (method === 'GET' || method === 'HEAD' ? FS.exec(path) : undefined) ?? [];
  return verb === undefined ? undefined : { verb: verb as DiskVerb, path: decoded(named) };
}

/** Answers a call about the files of a sandbox that does not run from its newest snapshot. `body`: where it has been read already. */
export async function savedFiles(
  { disks }: Pick<Parts, 'disks'>,
  call: Call,
  id: string,
  asked: NonNullable<ReturnType<typeof savedVerb>>,
  body: Buffer | undefined,
): Promise<Answer | undefined> {
  const isRead = asked.verb === 'read';
  const said = isRead
    ? body === undefined
      ? await call.body()
      : (JSON.parse(body.toString()) as Record<string, unknown>)
    : {};
  const path = isRead ? said.path : asked.path;
  if (typeof path !== 'string') throw invalid({ path: 'expected a text' });
  const disk = await disks.open(id, undefined, call.signal);
  return await diskAnswer(disk, asked.verb, diskPath(path), said.encoding, call);
}
