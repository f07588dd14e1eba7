import { newestSnapshot } from '../events/snapshotCreated.ts';
import { decoded } from '../http/decoded.ts';
import { HttpError, invalid, notFound } from '../http/httpError.ts';
import type { Call, Route } from '../http/route.ts';
import type { Parts } from '../parts.ts';
import { checkFile } from '../runtime/checkFile.ts';
import { openSandbox } from '../runtime/openSandbox.ts';
import { absolutePath, isInWorkspace } from '../runtime/workspace.ts';
import { snapshotSource } from '../snapshots/snapshotSource.ts';
import { type DiskVerb, diskAnswer, diskPath } from './diskAnswer.ts';

const VERBS: readonly DiskVerb[] = ['read', 'list', 'stat', 'exists', 'download', 'download-dir'];

/** What is behind the verb: as the API inside has it, which begins at the root, where that is in the workspace; else below the workspace. */
function namedIn(path: string, verb: DiskVerb): string {
  const named = decoded(new RegExp(`/disk/${verb}(/.*)?$`).exec(path)?.[1] ?? '');
  return isInWorkspace(absolutePath(named)) ? named : named.replace(/^\/+/, '');
}

/**
 * `GET /v1/sandboxes/{id}/disk/{verb}/{path}`: its files as the store has them, whether it runs or not; of the newest snapshot, of another
 * (`?snapshot=`), or as they were when something happened (`?event=`, a number of its stream).
 */
export function diskRoutes(parts: Parts): Route[] {
  return VERBS.flatMap((verb) =>
    ['', '/*'].map(
      (below): Route => ({
        method: 'GET',
        path: `/v1/sandboxes/:id/disk/${verb}${below}`,
        scope: 'runtime',
        handle: async (call) => {
          const sandbox = openSandbox(parts, call, 'files', 'any');
          const file = namedIn(call.path, verb);
          checkFile(file, parts.policy.rulesOf(sandbox.owner));
          const { state, sequence } = await stateOf(call, sandbox.id);
          const disk = await parts.disks.open(state, sequence, call.signal);
          return await diskAnswer(disk, verb, diskPath(file), call.query.get('encoding') ?? undefined, call);
        },
      }),
    ),
  );

  async function stateOf({ query, caller }: Call, id: string) {
    const snapshot = query.get('snapshot');
    const event = query.get('event');
    if (event !== null) return { state: id, sequence: sequenceAt(id, event) };
    if (snapshot === null) return { state: id, sequence: undefined };
    const from = snapshotSource(parts, caller, /^\d+$/.test(snapshot) ? `${id}@${snapshot}` : snapshot);
    const kept = parts.snapshots.find(from.sandbox);
    if ((kept?.sandbox ?? from.sandbox) !== id) throw notFound('snapshot', snapshot);
    return { state: from.sandbox, sequence: from.sequence };
  }

  /** The newest snapshot that was told of at that number or before. */
  function sequenceAt(id: string, text: string): number {
    if (!/^\d{1,15}$/.test(text)) throw invalid({ event: 'expected the number of an event' });
    const stream = parts.bus.of('sandboxes', id);
    const found = newestSnapshot(stream, (event) => event.id <= Number(text));
    if (found !== undefined) return Number(found.data.sequence);
    throw new HttpError(404, 'NOT_FOUND', `at event ${text} nothing of sandbox ${id} had been saved yet`, {
      resourceType: 'snapshot',
      resourceId: text,
    });
  }
}
