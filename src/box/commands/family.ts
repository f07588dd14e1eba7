import { readFileSync } from 'node:fs';
import type { Clock } from '../../base/clock.ts';
import { type ProcessEntry, readProcessTable, subtrees } from '../../base/process/processTree.ts';
import { signalProcess } from '../../base/process/signalProcess.ts';

/** In the environment of a command and of all that it starts: its mark. */
export const MARK_VARIABLE = 'RUNTIME_COMMAND';

/** Each round finds what was forked during the last one. */
const MOST_ROUNDS = 200;
const ROUND_MS = 10;
/** How often those that were asked to end are looked at. */
const END_MS = 50;

export interface Family {
  /** Of the first process, which leads a session and a group. */
  readonly leader: number;
  readonly mark: string;
}

/**
 * Every living process of a command: its session, its group, all their descendants, and whoever carries its mark, wherever they have moved
 * themselves. Who has left all of these (a session of its own, no parent, the environment wiped) is found by nobody but the
 * container's end. To be asked while the leader lives or has just ended: the system gives its number to others later.
 */
function membersOf({ leader, mark }: Family): ProcessEntry[] {
  return withDescendants(
    ({ pid, group, session }) => [pid, group, session].includes(leader) || markOf(pid) === mark,
  );
}

function withDescendants(isOne: (entry: ProcessEntry) => boolean): ProcessEntry[] {
  const living = readProcessTable().filter(({ state, pid }) => state !== 'Z' && pid !== process.pid);
  const roots = living.filter(isOne).map(({ pid }) => pid);
  const found = subtrees(living, roots);
  return living.filter(({ pid }) => found.has(pid));
}

const markPattern = new RegExp(`(?:^|\\0)${MARK_VARIABLE}=([^\\0]*)`);

function markOf(pid: number): string | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/environ`, 'latin1');
    return markPattern.exec(text)?.[1];
  } catch {
    // It has ended, or is somebody else's.
    return undefined;
  }
}

/** One signal to all of them; how many there were. */
export function signalFamily(family: Family, signal: NodeJS.Signals): number {
  const members = membersOf(family);
  // The group as a whole first: who forks meanwhile is in it as well.
  if (members.some(({ group }) => group === family.leader)) signalProcess(-family.leader, signal);
  for (const { pid, group } of members) if (group !== family.leader) signalProcess(pid, signal);
  return members.length;
}

/** SIGKILL until nobody is left; false where somebody still is. */
export async function killFamily(family: Family, { sleep }: Pick<Clock, 'sleep'>): Promise<boolean> {
  for (let round = 0; round < MOST_ROUNDS; round++) {
    if (signalFamily(family, 'SIGKILL') === 0) return true;
    await sleep(ROUND_MS);
  }
  return false;
}

/** Asks all whose mark begins so to end, with SIGTERM, and resolves when nobody is left of them: whoever stops the box has a limit. */
export async function endMarked(start: string, { sleep }: Pick<Clock, 'sleep'>): Promise<void> {
  const members = () => withDescendants(({ pid }) => markOf(pid)?.startsWith(start) ?? false);
  for (const { pid } of members()) {
    signalProcess(pid, 'SIGTERM');
    // A stopped process would never see it.
    signalProcess(pid, 'SIGCONT');
  }
  while (members().length > 0) await sleep(END_MS);
}
