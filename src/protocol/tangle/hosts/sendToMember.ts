import http from 'node:http';
import https from 'node:https';
import { FOR_HEADER, HOP_HEADER, ORIGIN_HEADER } from '../access/onBehalf.ts';
import type { Call, Route } from '../http/route.ts';
import { lengthOf, sendOn, sentOn, upgradeOf } from '../runtime/sendOn.ts';
import type { Member } from './hostsFile.ts';

/** The call as it came, to the host that has the sandbox: with the token of the sandbox, or for the caller. */
export async function sendToMember(
  member: Member,
  call: Call,
  { scope }: Pick<Route, 'scope'>,
): Promise<undefined> {
  const { protocol, hostname, port } = new URL(member.url);
  const { headers } = call.request;
  const own = { authorization: `Bearer ${member.key.reveal()}`, [FOR_HEADER]: call.caller.name };
  return await sendOn(
    call,
    (protocol === 'https:' ? https : http).request({
      hostname: hostname.replace(/^\[|\]$/g, ''),
      port: port || (protocol === 'https:' ? 443 : 80),
      agent: false,
      method: call.method,
      path: call.target,
      headers: {
        ...sentOn(headers),
        ...(scope === 'sidecar'
          ? { authorization: headers.authorization ?? '' }
          : scope === 'open'
            ? {}
            : own),
        host: call.request.headers.host ?? hostname,
        [ORIGIN_HEADER]: call.origin,
        [HOP_HEADER]: member.key.reveal(),
        ...lengthOf(call.request),
        ...upgradeOf(call),
        // A sandbox's token, if it was given so: only its own host can read it.
        ...(scope === 'sidecar' && headers['sec-websocket-protocol'] !== undefined
          ? { 'sec-websocket-protocol': headers['sec-websocket-protocol'] }
          : {}),
      },
      signal: call.signal,
    }),
    { name: `host ${member.name}` },
  );
}
