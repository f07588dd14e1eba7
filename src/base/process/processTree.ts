import { readdirSync, readFileSync } from 'node:fs';

/** One line of the process table, as far as we need it. */
export interface ProcessEntry {
  readonly pid: number;
  readonly parent: number;
  readonly group: number;
  readonly session: number;
  /** `Z` is a zombie: dead, not yet reaped. */
  readonly state: string;
}

/**
 * The process table of our PID namespace, from `/proc/PID/stat` (proc(5)). A process that ends meanwhile is left
 * out. Synchronous: it runs while the bot is about to be stopped, and takes some 20 µs a process.
 */
export function readProcessTable(proc = '/proc'): ProcessEntry[] {
  const entries: ProcessEntry[] = [];
  for (const name of readdirSync(proc)) {
    if (!/^\d+$/.test(name)) continue;
    const entry = readProcess(Number(name), proc);
    if (entry) entries.push(entry);
  }
  return entries;
}

function readProcess(pid: number, proc: string): ProcessEntry | undefined {
  let stat: string;
  try {
    stat = readFileSync(`${proc}/${pid}/stat`, 'latin1');
  } catch {
    return undefined;
  }
  // The command's name stands in parentheses and may itself hold any of them: count from the last one.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [parent = 0, group = 0, session = 0] = fields.slice(1, 4).map(Number);
  return { pid, state: fields[0] ?? '', parent, group, session };
}

/**
 * Every living process that belongs to the bot: those of its group and all their descendants, wherever those moved
 * themselves. A process that left the group and whose parents have died is no longer to be told from others.
 */
export function botProcesses(table: readonly ProcessEntry[], group: number): number[] {
  const roots = table.filter((entry) => entry.group === group || entry.pid === group);
  return living(
    table,
    subtrees(
      table,
      roots.map((entry) => entry.pid),
    ),
  );
}

/**
 * Everything in a PID namespace of our own but its first process, ourselves (`self`) and the subtrees of our helpers
 * (`helpers`): what a bot left behind in its container.
 */
export function leftovers(
  table: readonly ProcessEntry[],
  self: number,
  helpers: readonly number[],
): number[] {
  const kept = subtrees(table, helpers).add(1).add(self);
  return living(table, new Set(table.map((entry) => entry.pid).filter((pid) => !kept.has(pid))));
}

/** These and all their descendants, by their pids. */
export function subtrees(table: readonly ProcessEntry[], roots: readonly number[]): Set<number> {
  const children = Map.groupBy(table, (entry) => entry.parent);
  const found = new Set<number>();
  const visit = (pid: number) => {
    if (found.has(pid)) return;
    found.add(pid);
    for (const child of children.get(pid) ?? []) visit(child.pid);
  };
  roots.forEach(visit);
  return found;
}

function living(table: readonly ProcessEntry[], pids: ReadonlySet<number>): number[] {
  return table.filter((entry) => pids.has(entry.pid) && entry.state !== 'Z').map((entry) => entry.pid);
}
