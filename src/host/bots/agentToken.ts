import { createHmac } from 'node:crypto';
import { Secret } from '../../base/secret.ts';

/** Tells it from everything else that the key signs. */
const PURPOSE = 'runtime agent token v1:';

/** What the host asks this bot's messages with, and no client ever has: `AGENT_TOKEN` of its container. */
export function makeAgentToken(key: Secret, bot: string): Secret {
  return new Secret(createHmac('sha256', key.reveal()).update(`${PURPOSE}${bot}`).digest('base64url'));
}
