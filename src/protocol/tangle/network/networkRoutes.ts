import { readWhole } from '../../../base/httpAnswer.ts';
import { BOX_PORT } from '../../../host/sandboxes/boxTokens.ts';
import { emptyRequest } from '../../../host/sandboxes/policy/policy.ts';
import type { Sandbox } from '../../../host/sandboxes/sandboxes.ts';
import { invalid } from '../http/httpError.ts';
import type { Call, Route } from '../http/route.ts';
import type { Parts } from '../parts.ts';
import { BOT_PORT, callInside } from '../runtime/callInside.ts';
import { openSandbox } from '../runtime/openSandbox.ts';
import { unanswered } from '../runtime/sendOn.ts';
import { refuse, violationsOf } from '../sandboxes/admission.ts';
import { egressOf } from '../sandboxes/egressOf.ts';
import { findOwn, mustBe } from '../sandboxes/findOwn.ts';

const MOST_NETWORKS = 10;
const MOST_BYTES = 2 ** 20;

/** What a sandbox may reach, and how its ports are reached. */
export function networkRoutes(parts: Parts): Route[] {
  const { sandboxes } = parts;
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
        const found = findOwn(sandboxes, call);
        const { port } = await call.body();
        if (!Number.isInteger(port) || (port as number) < 1 || (port as number) > 65_535)
          throw invalid({ port: 'expected the number of a port' });
        return { body: { url: urlOf(found, port as number, call) } };
      },
    },
    {
      method: 'GET',
      path: `${base}/urls`,
      scope: 'runtime',
      handle: async (call) => {
        const found = openSandbox(parts, call, 'ports');
        const ports = await listening(parts, found, call.signal);
        return { body: { urls: Object.fromEntries(ports.map((port) => [port, urlOf(found, port, call)])) } };
      },
    },
  ];
}

/** Ports that something listens on inside. */
async function listening({ sandboxes }: Parts, { id }: Sandbox, signal: AbortSignal): Promise<number[]> {
  const asked = { id, port: BOX_PORT, method: 'GET', path: '/ports', token: sandboxes.boxToken(id) } as const;
  try {
    const answer = await callInside(sandboxes, asked, signal);
    const text = await readWhole(answer as AsyncIterable<Buffer>, MOST_BYTES);
    const { data } = JSON.parse(text) as { data: { ports: { port: number }[] } };
    // The bot's own server is not the client's.
    return data.ports.map(({ port }) => port).filter((port) => port !== BOT_PORT);
  } catch (error) {
    throw unanswered(`sandbox ${id}`, error);
  }
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
