import { randomBytes } from 'node:crypto';

/** A bot's name that no other test has: instances are named by their bots, and the hosts of tests that run at once use one engine. */
export const ownName = (name: string): string => `${name}-${randomBytes(3).toString('hex')}`;
