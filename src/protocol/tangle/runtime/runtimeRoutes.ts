import { BOX_PORT } from '../../../host/sandboxes/boxTokens.ts';
import { savedFiles, savedVerb } from '../disk/savedFiles.ts';
import { executionEvents } from '../events/executionEvents.ts';
import { HttpError, notFound } from '../http/httpError.ts';
import type { Call, Route } from '../http/route.ts';
import type { Parts } from '../parts.ts';
import { mustBe } from '../sandboxes/findOwn.ts';
import { bothPaths, insidePath } from './bothPaths.ts';
import { filesGate } from './filesGate.ts';
import { forward } from './forward.ts';
import type { InUse } from './inUse.ts';
import { openSandbox } from './openSandbox.ts';
import { isAmbiguous, toolOf } from './toolOf.ts';

/** All of the API inside of sandboxes that nobody here answers himself: sent on to it as it comes. */
export function runtimeRoutes(parts: Parts, inUse: InUse): Route[] {
  return [health(parts), ...bothPaths('ALL', '/*', inside)];

  async function inside(call: Call) {
    const path = insidePath(call);
    if (isAmbiguous(path)) throw new HttpError(400, 'VALIDATION_ERROR', 'a path with `..` or `\\` in it');
    const saved = savedVerb(call.method, path);
    const needs = saved === undefined ? 'running' : 'any';
    const { id, owner, status } = openSandbox(parts, call, toolOf(path), needs);
    using use = inUse.begin(id);
    const body = await filesGate(call, path, parts.policy.rulesOf(owner).files);
    if (saved !== undefined && status !== 'running') return await savedFiles(parts, call, id, saved, body);
    using _told = executionEvents(parts, id, path, call);
    const query = call.target.slice(call.path.length);
    const token = parts.sandboxes.boxToken(id).reveal();
    const { silent } = use;
    const to = { id, port: BOX_PORT, path: `${path}${query}`, token, body, silent };
    return await forward(parts.sandboxes, call, to);
  }
}

/** Whether it lives, which whoever knows the sandbox's address may ask: clients do before they have a token. */
function health({ sandboxes }: Parts): Route {
  return {
    method: 'GET',
    path: '/sidecar/:id/health',
    scope: 'open',
    handle: async (call) => {
      const { id = '' } = call.params;
      const found = sandboxes.find(id);
      if (found === undefined) throw notFound('sandbox', id);
      mustBe(found, 'running');
      return await forward(sandboxes, call, { id, port: BOX_PORT, path: '/health' });
    },
  };
}
