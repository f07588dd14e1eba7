import type { IncomingMessage } from 'node:http';
import { isIP, isIPv4, isIPv6 } from 'node:net';
import { hostname } from 'node:os';
import type { Secret } from '../../../base/secret.ts';
import { tokenCheck } from '../../../bot/answers/tokenCheck.ts';
import { Refusal } from '../refusal.ts';

/**
 * Throws `Refusal` 401, or 403 where there is no token and the client is on another machine, or a page of another site in a
 * browser on this one: a message may run tools and costs money.
 */
export function accessCheck(token: Secret | undefined): (request: IncomingMessage) => void {
  const isAllowed = tokenCheck(token);
  return ({ headers, socket }) => {
    const isHere = isLoopback(socket.remoteAddress) && isOurPage(headers.origin) && isOurName(headers.host);
    if (token === undefined && !isHere) {
      throw new Refusal(403, 'forbidden', 'without AGENT_TOKEN or QUERY_TOKEN only this machine is served');
    }
    if (!isAllowed(headers.authorization)) {
      throw new Refusal(401, 'unauthorized', 'a bearer token is required', { 'www-authenticate': 'Bearer' });
    }
  };
}

function isLoopback(address = ''): boolean {
  const v4 = isIPv6(address) ? address.replace(/^::ffff:/i, '') : address;
  return (isIPv4(v4) && v4.startsWith('127.')) || v4 === '::1';
}

/** Browsers name the page that asks; it need not ask for leave to send a text, and a name that it has made ours is still its own. */
function isOurPage(origin: string | undefined): boolean {
  if (origin === undefined) return true;
  const name = URL.parse(origin)?.hostname ?? '';
  return name === 'localhost' || isLoopback(name.replace(/^\[|\]$/g, ''));
}

/**
 * A page whose name its owner lets mean this machine reads without naming itself: the name is still its own. Names without a dot, and those
 * that nobody can register, are no site's.
 */
function isOurName(host = ''): boolean {
  const name = host
    .replace(/:\d*$/, '')
    .replace(/^\[|\]$/g, '')
    .toLowerCase();
  const isSite = name.includes('.') && !/\.(localhost|local|internal)$/.test(name);
  return !isSite || name === hostname().toLowerCase() || isIP(name) !== 0;
}
