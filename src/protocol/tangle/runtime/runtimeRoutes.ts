import { BOX_PORT } from '../../../host/sandboxes/boxTokens.ts';
import { savedFiles, savedVerb } from '../disk/savedFiles.ts';
import { executionEvents } from '../events/executionEvents.ts';
import { HttpError } from '../http/httpError.ts';
import type { Call, Route } from '../http/route.ts';
import type { Parts } from '../parts.ts';
import { bothPaths, insidePath } from './bothPaths.ts';
import { filesGate } from './filesGate.ts';
import { forward } from './forward.ts';
import { healthRoute } from './healthRoute.ts';
import type { InUse } from './inUse.ts';
import { openSandbox } from './openSandbox.ts';
import { isAmbiguous, toolOf } from './toolOf.ts';

/** All of the API inside of sandboxes that nobody here answers himself: sent on to it as it comes. */
export function runtimeRoutes(parts: Parts, inUse: InUse): Route[] {
  return [healthRoute(parts), ...bothPaths('ALL', '/*', inside)];

  async function inside(call: Call) {
    const path = insidePath(call);
    if (isAmbiguous(path)) throw new HttpError(400, 'VALIDATION_ERROR', 'a path with `..` or `\\` in it');
    const saved = savedVerb(call.method, path);
    const needs = saved === undefined ? 'running' : 'any';
    const { id, owner, status } = openSandbox(parts, call, toolOf(path), needs);
    using use = inUse.begin(id, call.upgrade && { ended: () => keyGone(call) });
    const body = await filesGate(call, path, parts.policy.rulesOf(owner));
    if (saved !== undefined && status !== 'running') return await savedFiles(parts, call, id, saved, body);
    using _told = executionEvents(parts, id, path, call);
    const query = call.target.slice(call.path.length);
    const token = parts.sandboxes.boxToken(id).reveal();
    const { over } = use;
    const to = { id, port: BOX_PORT, path: `${path}${query}`, token, body, over };
    return await forward(parts.sandboxes, call, to);
  }

  /** Who holds a WebSocket holds a shell, for as long as he likes: not for longer than his key. */
  function keyGone({ caller: { name, by = name } }: Call): Error | undefined {
    return parts.isKey(by) ? undefined : new HttpError(401, 'UNAUTHORIZED', 'this key is not known any more');
  }
}
