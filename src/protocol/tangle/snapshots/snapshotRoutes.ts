import * as v from 'valibot';
import type { Sandbox } from '../../../host/sandboxes/sandboxes.ts';
import { owns } from '../access/caller.ts';
import { invalid, notFound } from '../http/httpError.ts';
import { readFields } from '../http/readFields.ts';
import type { Call, Route } from '../http/route.ts';
import type { Parts } from '../parts.ts';
import { absolutePath, isInWorkspace, WORKSPACE } from '../runtime/workspace.ts';
import { findOwn } from '../sandboxes/findOwn.ts';
import { ENDED, settled } from '../sandboxes/settled.ts';
import type { KeptSnapshot } from './keptSnapshot.ts';

const schema = v.object({
  tags: v.nullish(v.pipe(v.array(v.pipe(v.string(), v.nonEmpty(), v.maxLength(256))), v.maxLength(32)), []),
  paths: v.nullish(v.array(v.string()), []),
  leaveRunning: v.nullish(v.boolean(), false),
});

/** Why there is nothing of a sandbox's memory to go back to. */
const NO_MEMORY =
  'the memory of processes is not kept here: a checkpoint is the disk, and what ran is started again by whoever wants it';

/** Snapshots, and checkpoints, which are the same here: the disk. */
export function snapshotRoutes(parts: Parts): Route[] {
  const { sandboxes, snapshots, disks } = parts;
  const one = '/v1/sandboxes/:id';
  const take = async (call: Call, sandbox: Sandbox) => {
    const asked = readFields(schema, await call.body());
    // What has to be in it: it has the whole disk, and says so.
    const outside = asked.paths.find((path) => !isSaved(absolutePath(path)));
    if (outside !== undefined)
      throw invalid({ paths: `${outside} is not in ${WORKSPACE}: only that is saved` });
    return { taken: await snapshots.take(sandbox, asked.tags, call.signal), asked };
  };
  const findKept = (call: Call, name: string): KeptSnapshot => {
    const kept = snapshots.find(name);
    if (kept?.sandbox !== findOwn(sandboxes, call).id) throw notFound('snapshot', name);
    return kept;
  };
  return [
    {
      method: 'POST',
      path: `${one}/snapshot`,
      scope: 'write',
      handle: async (call) => ({
        status: 201,
        body: viewOf((await take(call, findOwn(sandboxes, call))).taken),
      }),
    },
    {
      method: 'GET',
      path: `${one}/snapshots`,
      scope: 'read',
      handle: async (call) => {
        const { id } = findOwn(sandboxes, call);
        const recent = (await disks.snapshots(id, call.signal)).map((each) => ({
          snapshotId: `${id}@${each.sequence}`,
          projectRef: id,
          sequence: each.sequence,
          createdAt: each.createdAt,
          tags: ['auto'],
          paths: [WORKSPACE],
          sizeBytes: each.bytes,
          files: each.files,
          kept: false,
        }));
        return { body: { snapshots: [...snapshots.of(id).map(viewOf), ...recent] } };
      },
    },
    {
      method: 'DELETE',
      path: `${one}/snapshots/:snapshot`,
      scope: 'write',
      handle: async (call) => {
        await snapshots.drop(findKept(call, call.params.snapshot ?? '').id, call.signal);
        return { body: { success: true } };
      },
    },
    // Also those of sandboxes that are gone.
    {
      method: 'GET',
      path: '/v1/snapshots',
      scope: 'read',
      handle: async ({ caller }) => ({
        body: {
          snapshots: snapshots
            .all()
            .filter((each) => owns(caller, each))
            .map(viewOf),
        },
      }),
    },
    {
      method: 'DELETE',
      path: '/v1/snapshots/:snapshot',
      scope: 'write',
      handle: async ({ caller, params, signal }) => {
        const kept = snapshots.find(params.snapshot ?? '');
        if (kept === undefined || !owns(caller, kept)) throw notFound('snapshot', params.snapshot ?? '');
        await snapshots.drop(kept.id, signal);
        return { body: { success: true } };
      },
    },
    {
      method: 'GET',
      path: '/v1/system/criu-status',
      scope: 'read',
      handle: async () => ({ body: { available: false, reason: NO_MEMORY } }),
    },
    {
      method: 'POST',
      path: `${one}/checkpoints`,
      scope: 'write',
      handle: async (call) => {
        const sandbox = findOwn(sandboxes, call);
        const { taken, asked } = await take(call, sandbox);
        if (!asked.leaveRunning && sandbox.status === 'running') {
          const stopping = await sandboxes.stop(sandbox.id, 'user');
          await settled(sandboxes, stopping, ENDED, call.signal);
        }
        return { status: 201, body: checkpointOf(taken) };
      },
    },
    {
      method: 'GET',
      path: `${one}/checkpoints`,
      scope: 'read',
      handle: async (call) => ({
        body: { checkpoints: snapshots.of(findOwn(sandboxes, call).id).map(checkpointOf) },
      }),
    },
    {
      method: 'DELETE',
      path: `${one}/checkpoints/:checkpoint`,
      scope: 'write',
      handle: async (call) => {
        await snapshots.drop(findKept(call, call.params.checkpoint ?? '').id, call.signal);
        return { body: { success: true } };
      },
    },
  ];
}

const isSaved = (path: string) => path === '/' || isInWorkspace(path);

function viewOf({ id, sandbox, sequence, createdAt, tags, bytes, files }: KeptSnapshot) {
  return {
    snapshotId: id,
    projectRef: sandbox,
    sequence,
    createdAt: new Date(createdAt).toISOString(),
    tags,
    paths: [WORKSPACE],
    sizeBytes: bytes,
    files,
    kept: true,
  };
}

function checkpointOf(snapshot: KeptSnapshot) {
  const { snapshotId, ...view } = viewOf(snapshot);
  // The SDK takes a checkpoint that does not say for one of the memory and not of the disk.
  const what = { hasMemoryState: false, hasFilesystemSnapshot: true, memory: false };
  return { checkpointId: snapshotId, ...view, ...what, note: NO_MEMORY };
}
