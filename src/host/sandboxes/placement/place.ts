import { AMOUNTS, type Amounts } from './amounts.ts';

/**
 * The room of where a sandbox goes: `amounts` counts, `place` chooses, `capacity` holds what was chosen until it is written down.
 */

/** A host as placement sees it. */
export interface HostView {
  readonly name: string;
  /** What it calls itself, as records of sandboxes name it; undefined: it has not been heard of yet. */
  readonly id: string | undefined;
  /** The engine. */
  readonly driver: string;
  /** Why nothing is placed there now, as a sentence; undefined: it is well. */
  readonly unfit: string | undefined;
  /** Whether what others have stopped can be resumed there; undefined: nobody has asked it. */
  readonly sharesStore?: boolean | undefined;
  readonly total: Amounts;
  readonly used: Amounts;
}

export interface Hints {
  readonly driver: string | undefined;
  /** Names or ids of hosts; empty: all. */
  readonly among: readonly string[];
  readonly avoid: readonly string[];
}

export interface Shortage {
  readonly host: string;
  readonly what: keyof Amounts;
  readonly asked: number;
  readonly free: number;
  readonly total: number;
}

export type Placed =
  | { readonly host: string; readonly why: string }
  | { readonly host: undefined; readonly why: string; readonly short: readonly Shortage[] };

/** The least loaded host that is well, is not ruled out, and has room for all of it. A pure function: the reasons are in `why`. */
export function place(hosts: readonly HostView[], asked: Amounts, hints: Hints): Placed {
  const refusals: string[] = [];
  const short: Shortage[] = [];
  const fit: HostView[] = [];
  for (const host of hosts) {
    const lacks = AMOUNTS.map((what) => shortage(host, what, asked[what])).filter((one) => one !== undefined);
    const why = ruledOut(host, hints) ?? host.unfit;
    if (why !== undefined) refusals.push(`${host.name}: ${why}`);
    else if (lacks.length > 0) refusals.push(`${host.name}: ${lacks.map(inWords).join(', ')}`);
    else fit.push(host);
    if (why === undefined) short.push(...lacks);
  }
  const [best] = fit.sort((a, b) => load(a) - load(b) || a.name.localeCompare(b.name));
  if (best !== undefined)
    return {
      host: best.name,
      why: `the least loaded of ${fit.length} with room (${Math.round(load(best) * 100)} %)`,
    };
  return { host: undefined, why: refusals.join('; ') || 'there is no host', short };
}

function ruledOut(host: HostView, hints: Hints): string | undefined {
  const { driver } = host;
  const isNamed = (texts: readonly string[]) => texts.some((text) => isCalled(host, text));
  if (hints.driver !== undefined && hints.driver !== driver) return `its driver is ${driver}`;
  if (hints.among.length > 0 && !isNamed(hints.among)) return 'is not among the hosts that were named';
  return isNamed(hints.avoid) ? 'is to be avoided' : undefined;
}

/** Whether somebody means this host: by the name that others have for it, or by its own. */
export const isCalled = ({ name, id }: Pick<HostView, 'name' | 'id'>, text: string): boolean =>
  text === name || text === id;

function shortage(host: HostView, what: keyof Amounts, asked: number): Shortage | undefined {
  const [total, used] = [host.total[what], host.used[what]];
  return used + asked <= total
    ? undefined
    : { host: host.name, what, asked, free: Math.max(0, total - used), total };
}

/** By whatever is nearest to its end. */
function load({ total, used }: HostView): number {
  return Math.max(...AMOUNTS.map((what) => (total[what] > 0 ? used[what] / total[what] : 0)));
}

const words: Readonly<Record<keyof Amounts, readonly [name: string, unit: number]>> = {
  cpuMillis: ['cores', 1000],
  memoryBytes: ['MB of memory', 2 ** 20],
  diskBytes: ['GB of disk', 2 ** 30],
  slots: ['places', 1],
};

function inWords({ what, asked, free, total }: Shortage): string {
  const [name, unit] = words[what];
  const of = (value: number) => Math.round((value / unit) * 100) / 100;
  return `${of(asked)} ${name} asked, ${of(free)} of ${of(total)} free`;
}
