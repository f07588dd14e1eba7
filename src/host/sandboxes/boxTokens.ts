import { createHmac } from 'node:crypto';
import { Secret } from '../../base/secret.ts';

/** The port inside that `runtime box` listens on. */
export const BOX_PORT = 9478;

/** What asks a sandbox from outside: no client ever has them. */
export interface BoxTokens {
  /** BOX_TOKEN of its container: its commands, files, processes. */
  readonly box: Secret;
  /** PUBLISH_TOKEN of its container: its disk is saved at once. */
  readonly publish: Secret;
}

/** Made anew from the host's key whenever they are needed: nothing of them is kept. */
export function makeBoxTokens(key: Secret, sandbox: string): BoxTokens {
  const make = (purpose: string) =>
    new Secret(
      createHmac('sha256', key.reveal()).update(`runtime ${purpose} token v1:${sandbox}`).digest('base64url'),
    );
  return { box: make('box'), publish: make('publish') };
}
