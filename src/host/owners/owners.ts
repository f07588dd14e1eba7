import { createHash } from 'node:crypto';
import type { EnginePlace } from '../engine/engine.ts';

/**
 * The room of hosts that share a store and may not know of one another: which of them has which bot. A bot's name is its place in the
 * store, so one name is one bot, whatever source a host reads it from.
 *
 *   ownersTable   one object for all hosts of a state bucket, changed only as it was read: each bot has one owner or none
 *   assign        pure: what a host takes and gives up in it
 *   heartbeat     a small object for each host: when it was last heard of, by the store's clock, and whether it has a double
 *   findPlace     which engine this host is on
 *   hearing       who of the others is silent, and what follows from that
 *   openOwners    what this host knows of it; the loop asks before it starts or gives out anything
 *   announce      what of that an operator is told, once
 *   outage        whether the store is away, or a single answer was; `whatFailed` says why
 *   pause         between its looks, cut short by a bot that comes or goes
 *   releaseHost   makes the bots of one that is gone for good nobody's
 *   formerLife    as whom this host was known before, where its engine or its machine's name has changed since
 *   heir          this one in its place
 *   lastTable     the same on the host's own disk, for a start without the store
 *
 * Order: a bot is taken in the table before it is started, and given up once nothing of it is left here. A host whose store does not
 * answer goes on with what it knew, and counts what it never heard of as its own: it is never stopped by the store's absence. Who is
 * silent is not dead, so nothing is taken from it for that alone, unless the operator says so (`--lost-host replace`) or takes it away
 * (`runtime host remove`). On one engine names keep two hosts apart, and nothing is refused.
 */

/** Whose a bot is, for one host. */
export type Owner =
  | { readonly type: 'ours' }
  /** Not known yet: the store is being asked. `why`: what keeps it from being known, and what to do about that. */
  | { readonly type: 'asking'; readonly why?: string | undefined }
  /** `message`: who has it, and what to do about that, for an operator. `ends`: what runs of it here has to end. */
  | { readonly type: 'elsewhere'; readonly message: string; readonly ends: boolean };

export interface Owners {
  of(bot: string): Owner;
  /** Why the store does not say what other hosts have, and what to do about that; undefined: it does. */
  readonly problem?: string | undefined;
}

/** One host as the others see it. */
export interface OwnerHost extends EnginePlace {
  /** Of this host on this engine, for these kinds of bots. */
  readonly key: string;
  /** Value of its label `runtime.host`. */
  readonly host: string;
}

/** Everything that every host of a state bucket has. */
export interface Table {
  readonly hosts: ReadonlyMap<string, OwnerHost>;
  /** By bot: the `key` of its owner. Several are on one engine, whose names keep them apart; none of them frees it for another engine. */
  readonly owners: ReadonlyMap<string, readonly string[]>;
}

/** Whose a bot is, as other hosts see it. */
export function ownerOf({ hosts, owners }: Table, bot: string): OwnerHost | undefined {
  const [key] = owners.get(bot) ?? [];
  return key === undefined ? undefined : hosts.get(key);
}

export const nobody: Table = { hosts: new Map(), owners: new Map() };

/** A host that is not heard of for so long is silent. By the store's clock, milliseconds. */
export const SILENT_MS = 300_000;

/** Of an engine that does not say which one it is: hosts of such engines are kept apart by names, as on one. */
export const UNKNOWN_PLACE: EnginePlace = {
  engine: 'unknown',
  machine: 'unknown',
  name: 'an engine that does not say which one it is',
};

/** Where two hosts are on one engine, its names keep their bots apart. */
export function isSamePlace(a: EnginePlace, b: EnginePlace): boolean {
  return a.engine === b.engine && a.machine === b.machine;
}

/** `OwnerHost.key` */
export function keyOf(host: string, { engine, machine }: EnginePlace, types: Iterable<string>): string {
  const names = [host, engine, machine, ...[...types].sort()];
  return createHash('sha256').update(names.join('\n')).digest('hex').slice(0, 16);
}

/** For messages. */
export const nameOf = ({ host, name }: OwnerHost): string => `host ${host} on ${name}`;
