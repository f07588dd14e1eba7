import { BoxError } from './http/boxError.ts';
import type { Route } from './http/exchange.ts';

/** What the platform's own boxes have and these have not, with why: a 404 would mean that something of it is missing. */
const reasons: Readonly<Record<string, string>> = {
  '/git/*': 'git is a command here, as others are: run it',
  '/tools*':
    'nothing is installed by this server: what an image has is there, and commands can install more below the workspace',
  '/permissions/*': 'a sandbox has one user; keys and tokens say who may use it',
  '/agents/*':
    'an agent is asked by /agents/run/stream and /agents/run, its sessions are at /agents/sessions; the rest is not offered',
  '/backend/*': 'there are no model backends here; an agent is a bot, said at the creation of a sandbox',
  '/snapshots*':
    'no storage of yours is written to; /snapshot and /snapshots of the server are of its own store',
  '/projects*': 'there are no projects; a key owns what it has made',
};

export const notOffered: readonly Route[] = Object.entries(reasons).map(([path, reason]) => ({
  method: 'ALL',
  path,
  handle: () => {
    throw new BoxError(501, 'NOT_SUPPORTED', reason);
  },
}));
