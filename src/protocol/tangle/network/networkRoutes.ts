import { emptyRequest } from '../../../host/sandboxes/policy/policy.ts';
import type { Sandbox } from '../../../host/sandboxes/sandboxes.ts';
import { invalid } from '../http/httpError.ts';
import type { Call, Route } from '../http/route.ts';
import type { Parts } from '../parts.ts';
import { previewUrl } from '../previews/previewUrl.ts';
import { openSandbox } from '../runtime/openSandbox.ts';
import { refuse, violationsOf } from '../sandboxes/admission.ts';
import { egressOf } from '../sandboxes/egressOf.ts';
import { findOwn, mustBe } from '../sandboxes/findOwn.ts';
import { listening } from './listening.ts';
import { readPort } from './readPort.ts';

const MOST_NETWORKS = 10;

/** What a sandbox may reach, and how its ports are reached. */
export function networkRoutes(parts: Parts): Route[] {
  const { sandboxes, previews } = parts;
  const base = '/v1/sidecars/:id/network';
  const urlOf = ({ id }: Sandbox, port: number, { origin }: Call) =>
    `${origin}/v1/sandboxes/${id}/runtime/ports/${port}/`;
  return [
    {
      method: 'GET',
      path: base,
      scope: 'read',
      handle: async (call) => ({ body: shown(findOwn(sandboxes, call), parts.holdsEgress) }),
    },
    {
      method: 'PATCH',
      path: base,
      scope: 'write',
      handle: async (call) => {
        const found = findOwn(sandboxes, call);
        const { egress, unenforceable } = egressOf({ network: readNetwork(await call.body()) });
        refuse(violationsOf(parts, call.caller.name, { ...emptyRequest, egress, unenforceable }));
        if (egress === undefined) return { body: shown(found, parts.holdsEgress) };
        // Its network is made with its container: one that runs keeps what it was started with.
        mustBe(found, 'stopped');
        return { body: shown(await sandboxes.setEgress(found.id, egress), parts.holdsEgress) };
      },
    },
    {
      method: 'POST',
      path: `${base}/expose`,
      scope: 'runtime',
      handle: async (call) => {
        const found = openSandbox(parts, call, 'ports', 'any');
        const { port } = await call.body();
        const made = previews.make(found, call.caller, readPort(port), 'http');
        return { body: { url: previewUrl(call.origin, made) } };
      },
    },
    {
      method: 'GET',
      path: `${base}/urls`,
      scope: 'runtime',
      handle: async (call) => {
        const found = openSandbox(parts, call, 'ports');
        const ports = await listening(parts, found, call.signal);
        const exposed = previews
          .of(found.id)
          .map((each) => [each.port, previewUrl(call.origin, each)] as const);
        // The others by their way for whoever has a key.
        const urls = [...ports.map((port) => [port, urlOf(found, port, call)] as const), ...exposed];
        return { body: { urls: Object.fromEntries(urls) } };
      },
    },
  ];
}

function readNetwork(body: Readonly<Record<string, unknown>>) {
  const { blockOutbound, allowList } = body;
  if (blockOutbound !== undefined && typeof blockOutbound !== 'boolean')
    throw invalid({ blockOutbound: 'expected true or false' });
  const isList =
    allowList === undefined ||
    (Array.isArray(allowList) &&
      allowList.length <= MOST_NETWORKS &&
      allowList.every((one) => typeof one === 'string'));
  if (!isList) throw invalid({ allowList: `expected at most ${MOST_NETWORKS} networks` });
  return { blockOutbound, allowList: allowList as readonly string[] | undefined };
}

/** What is in force, in full: there are no hidden exceptions but the store, which is the runtime's own. */
function shown({ egress }: Sandbox, holdsEgress: boolean) {
  return {
    blockOutbound: egress === 'none',
    allowList: typeof egress === 'string' ? undefined : egress,
    egress,
    enforced: holdsEgress,
  };
}
