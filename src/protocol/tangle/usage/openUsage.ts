import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeFolders } from '../../../base/makeFolders.ts';
import { replaceFile } from '../../../base/replaceFile.ts';
import { whenAborted } from '../../../base/whenAborted.ts';
import type { Sandbox, Sandboxes } from '../../../host/sandboxes/sandboxes.ts';

/** What the sandboxes of one owner have used in a month (UTC). */
export interface Usage {
  readonly computeMinutes: number;
  readonly activeSandboxes: number;
  readonly totalSandboxes: number;
  /** RFC 3339. */
  readonly periodStart: string;
  readonly periodEnd: string;
}

export interface UsageBook {
  of(owner: string): Usage;
}

export interface UsageOptions {
  readonly sandboxes: Sandboxes;
  readonly folder: string;
  readonly now: () => number;
  /** Of this server's end. */
  readonly signal: AbortSignal;
}

interface Kept {
  /** `2026-11`. */
  readonly month: string;
  /** Milliseconds that have been run, by owner. */
  readonly ran: Record<string, number>;
  /** Those that run now, by their id: since when. */
  readonly running: Record<string, { readonly owner: string; readonly since: number }>;
}

/** Counts the time in which sandboxes run: from when each is seen to run, also while this server is away, until it does not. */
export function openUsage({ sandboxes, folder, now, signal }: UsageOptions): UsageBook {
  makeFolders(folder, 0o700);
  const path = join(folder, 'usage.json');
  let kept: Kept = existsSync(path)
    ? (JSON.parse(readFileSync(path, 'utf8')) as Kept)
    : { month: monthOf(now()), ran: {}, running: {} };

  const put = (next: Kept) => {
    kept = next;
    replaceFile(path, JSON.stringify(next), { mode: 0o600 });
  };
  /** A new month begins with nothing; what runs on counts from its beginning. */
  const turn = () => {
    const month = monthOf(now());
    if (kept.month === month) return;
    const from = startOf(month);
    const running = Object.entries(kept.running).map(
      ([id, { owner }]) => [id, { owner, since: from }] as const,
    );
    put({ month, ran: {}, running: Object.fromEntries(running) });
  };
  const begin = ({ id, owner, startedAt = now() }: Sandbox) => {
    const since = Math.max(startedAt, startOf(kept.month));
    put({ ...kept, running: { ...kept.running, [id]: { owner, since } } });
  };
  const end = (id: string, until: number) => {
    const { [id]: one, ...running } = kept.running;
    if (one === undefined) return;
    const ms = (kept.ran[one.owner] ?? 0) + Math.max(0, until - one.since);
    put({ ...kept, ran: { ...kept.ran, [one.owner]: ms }, running });
  };
  const look = (sandbox: Sandbox) => {
    turn();
    const runs = sandbox.status === 'running' && sandboxes.find(sandbox.id) !== undefined;
    const isKnown = kept.running[sandbox.id] !== undefined;
    if (runs && !isKnown) begin(sandbox);
    if (!runs && isKnown) end(sandbox.id, now());
  };

  // What has ended while this server was away ended after it was last used; when exactly, nobody has seen.
  for (const id of Object.keys(kept.running)) {
    const sandbox = sandboxes.find(id);
    if (sandbox?.status !== 'running') end(id, sandbox?.lastActivityAt ?? 0);
  }
  for (const sandbox of sandboxes.all()) look(sandbox);
  void whenAborted(signal).then(sandboxes.changes(look));

  return {
    of: (owner) => {
      turn();
      const mine = Object.values(kept.running).filter((each) => each.owner === owner);
      const ms = mine.reduce((sum, { since }) => sum + now() - since, kept.ran[owner] ?? 0);
      const start = startOf(kept.month);
      return {
        computeMinutes: Math.round(ms / 600) / 100,
        activeSandboxes: mine.length,
        totalSandboxes: sandboxes.all().filter((each) => each.owner === owner).length,
        periodStart: new Date(start).toISOString(),
        periodEnd: new Date(startOf(kept.month, 1)).toISOString(),
      };
    },
  };
}

const monthOf = (at: number) => new Date(at).toISOString().slice(0, 7);

function startOf(month: string, later = 0): number {
  const [year = 0, number = 1] = month.split('-').map(Number);
  return Date.UTC(year, number - 1 + later);
}
