import { HttpError } from './http/httpError.ts';
import type { Route } from './http/route.ts';

/** What the platform has and this host does not, with why: an honest 501 instead of a 404 that could mean anything. */
const reasons: Readonly<Record<string, string>> = {
  '/v1/images': 'images are built elsewhere; `image` names one that this host may use',
  '/v1/backends': 'there are no model backends here; an agent is a bot, see `agent`',
  '/v1/public-templates': 'there are no templates; `image` names what a sandbox begins with',
  '/v1/session/:sessionId/mapping': 'sessions name their sandbox themselves',
  '/projects/*': 'there are no projects; a key owns what it has made',
  '/v1/sidecar-proxy/*': 'every sandbox is reached at its own `connection.sidecarUrl`',
};

/** What the platform shows to everybody. */
const OPEN = ['/v1/backends', '/v1/public-templates'];

export const skipped: readonly Route[] = Object.entries(reasons).map(([path, reason]) => ({
  method: 'ALL',
  path,
  scope: OPEN.includes(path) ? 'open' : 'read',
  handle: async () => {
    throw new HttpError(501, 'NOT_SUPPORTED', reason);
  },
}));
