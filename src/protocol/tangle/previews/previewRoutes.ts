import { BOX_PORT } from '../../../host/sandboxes/boxTokens.ts';
import type { Sandbox } from '../../../host/sandboxes/sandboxes.ts';
import { HttpError, invalid, notFound } from '../http/httpError.ts';
import type { Call, Route } from '../http/route.ts';
import { listening } from '../network/listening.ts';
import { readPort } from '../network/readPort.ts';
import type { Parts } from '../parts.ts';
import { bothPaths } from '../runtime/bothPaths.ts';
import { forward } from '../runtime/forward.ts';
import type { InUse } from '../runtime/inUse.ts';
import { openSandbox } from '../runtime/openSandbox.ts';
import { isAmbiguous } from '../runtime/toolOf.ts';
import { mustBe } from '../sandboxes/findOwn.ts';
import type { Preview } from './openPreviews.ts';
import { previewUrl } from './previewUrl.ts';

/** `/preview-links` of the API inside, and the links themselves. */
export function previewRoutes(parts: Parts, inUse: InUse): Route[] {
  const { previews, sandboxes } = parts;
  const open = (call: Call) => openSandbox(parts, call, 'ports');
  const own = (call: Call): Preview => {
    const id = call.params.preview ?? '';
    const found = previews.find(open(call).id, id);
    if (found === undefined) throw notFound('preview', id);
    return found;
  };
  return [
    ...bothPaths('POST', '/preview-links', async (call) => {
      const sandbox = open(call);
      const { port, protocol } = await call.body();
      const made = previews.make(sandbox, call.caller, readPort(port), readProtocol(protocol));
      return { status: 201, body: { success: true, previewLink: await shown(made, sandbox, call) } };
    }),
    ...bothPaths('GET', '/preview-links', async (call) => {
      const sandbox = open(call);
      const ports = await listening(parts, sandbox, call.signal);
      const previewLinks = previews.of(sandbox.id).map((each) => viewOf(each, ports, call));
      return { body: { success: true, previewLinks } };
    }),
    ...bothPaths('GET', '/preview-links/:preview', async (call) => {
      const found = own(call);
      return { body: { success: true, previewLink: await shown(found, open(call), call) } };
    }),
    ...bothPaths('DELETE', '/preview-links/:preview', async (call) => {
      previews.drop(own(call).id);
      return { body: { success: true } };
    }),
    {
      method: 'ALL',
      path: '/preview/:id/:preview/*',
      scope: 'open',
      handle: async (call) => {
        const { id = '', preview = '' } = call.params;
        const { found, sandbox } = opened(id, preview);
        mustBe(sandbox, 'running');
        const rest = call.path.split('/').slice(4).join('/');
        if (isAmbiguous(`/${rest}`))
          throw new HttpError(400, 'VALIDATION_ERROR', 'a path with `..` or `\\` in it');
        using use = inUse.begin(id, {
          connection: call.request.socket,
          ended: () => endOf(() => opened(id, preview)),
        });
        const query = call.target.slice(call.path.length);
        const path = `/ports/${found.port}/${rest}${query}`;
        const token = sandboxes.boxToken(id).reveal();
        // The page has no origin (its policy), so that to load its own parts it is a stranger to itself; and whoever knows the link may have all of it.
        const headers = { 'access-control-allow-origin': '*', 'referrer-policy': 'no-referrer' };
        return await forward(sandboxes, call, {
          id,
          port: BOX_PORT,
          path,
          token,
          headers,
          over: use.over,
        });
      },
    },
  ];

  /** The link, as long as it is one. Throws 404. */
  function opened(id: string, preview: string) {
    const found = previews.find(id, preview);
    const sandbox = sandboxes.find(id);
    const isOpen = sandbox && (parts.toolsOf(sandbox)?.includes('ports') ?? true);
    if (found === undefined || !isOpen) throw notFound('preview', preview);
    return { found, sandbox };
  }

  async function shown(preview: Preview, sandbox: Sandbox, call: Call) {
    return viewOf(preview, await listening(parts, sandbox, call.signal), call);
  }
}

function endOf(check: () => unknown): Error | undefined {
  try {
    check();
    return undefined;
  } catch (error) {
    return error as Error;
  }
}

/** `pending` until somebody listens. */
function viewOf(preview: Preview, ports: readonly number[], { origin }: Call) {
  const { id, sandbox, port, protocol, createdAt } = preview;
  return {
    previewId: id,
    sandboxId: sandbox,
    port,
    protocol,
    status: ports.includes(port) ? 'ready' : 'pending',
    url: previewUrl(origin, preview),
    createdAt: new Date(createdAt).toISOString(),
  };
}

/** What is spoken there is HTTP, whatever it is called. */
function readProtocol(value: unknown): string {
  if (value === undefined || value === null) return 'http';
  if (value === 'http' || value === 'https' || value === 'tcp') return value;
  throw invalid({ protocol: 'expected http or tcp' });
}
