import { isRuntimeError, RuntimeError } from '../../base/errors.ts';
import type { ObjectStore } from '../../store/objectStore.ts';
import type { EnginePlace } from '../engine/engine.ts';
import { withoutHosts } from './assign.ts';
import { aliveKey, heardOf } from './heartbeat.ts';
import { keyOf, nameOf, type OwnerHost, SILENT_MS } from './owners.ts';
import { openOwnersTable, type ReadTable } from './ownersTable.ts';

export interface ReleaseHost {
  readonly open: () => Promise<ObjectStore>;
  readonly prefix: string;
  readonly host: string;
  /** Where it is asked. */
  readonly here: EnginePlace;
  /** It is known not to run here, and only what it has here is meant; else it counts as running wherever it was heard of lately. */
  readonly hasEnded: boolean;
  readonly signal: AbortSignal;
}

/** What the store knows of one host, which may have worked in several places. */
export interface Standing {
  readonly isKnown: boolean;
  /** It runs on this very engine. */
  readonly livesHere: boolean;
}

const ATTEMPTS = 8;
/** What a host may look after. */
const KINDS = [['realtime'], ['scheduled'], ['realtime', 'scheduled']] as const;

/** Throws `fenced` where all of it lives. */
export async function standingOf(request: ReleaseHost): Promise<Standing> {
  const { own, over, agoMs, livesHere } = await look(request);
  const [first] = own;
  if (first !== undefined && over.length === 0 && !request.hasEnded) throw isHeardOf(first, agoMs(first.key));
  return { isKnown: first !== undefined, livesHere };
}

/** Makes the bots of a host that will not come back nobody's: how many; undefined: the store knows no such host. */
export async function releaseHost(request: ReleaseHost): Promise<number | undefined> {
  const { open, prefix, signal } = request;
  for (let attempt = 0; ; attempt += 1) {
    const { read, over } = await look(request);
    const keys = new Set(over.map(({ key }) => key));
    const left = withoutHosts(read.table, keys);
    if (left === undefined) return undefined;
    try {
      await openOwnersTable(open, prefix).write(left, read, signal);
    } catch (error) {
      if (!isRuntimeError(error, 'conflict') || attempt === ATTEMPTS) throw error;
      continue;
    }
    for (const key of keys) await (await open()).delete(aliveKey(prefix, key), { signal });
    return [...read.table.owners.values()].filter((owned) => owned.every((key) => keys.has(key))).length;
  }
}

interface Look {
  readonly read: ReadTable;
  readonly own: readonly OwnerHost[];
  /** Of these, those that do not live. */
  readonly over: readonly OwnerHost[];
  readonly agoMs: (key: string) => number;
  /** Also where it has no bot yet: those that it had before its machine was renamed are not its own now. */
  readonly livesHere: boolean;
}

async function look({ open, prefix, host, here, hasEnded, signal }: ReleaseHost): Promise<Look> {
  const read = await openOwnersTable(open, prefix).read(undefined, signal);
  const own = [...read.table.hosts.values()].filter((row) => row.host === host);
  if (own.length === 0) return { read, own, over: [], agoMs: () => 0, livesHere: false };
  const { at, now } = await heardOf(await open(), prefix, signal);
  const agoMs = (key: string) => now - (at.get(key) ?? Number.NEGATIVE_INFINITY);
  const isOver = (row: OwnerHost) => (hasEnded ? row.machine === here.machine : agoMs(row.key) > SILENT_MS);
  const keys = KINDS.map((types) => keyOf(host, here, types));
  const livesHere = !hasEnded && keys.some((key) => agoMs(key) <= SILENT_MS);
  return { read, own, over: own.filter(isOver), agoMs, livesHere };
}

function isHeardOf(host: OwnerHost, agoMs: number): RuntimeError {
  const seconds = Math.max(0, Math.round(agoMs / 1000));
  return new RuntimeError('fenced', `${nameOf(host)} runs: it was heard of ${seconds} s ago`, {
    op: 'host.remove',
    hint: `End it first, after runtime bots drain --wait. One that died is taken away ${SILENT_MS / 60_000} min after its last word.`,
  });
}
