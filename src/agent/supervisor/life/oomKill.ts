import { readFileSync } from 'node:fs';

/** Where a container sees its own cgroup: version 2, then version 1. */
const FILES = ['/sys/fs/cgroup/memory.events', '/sys/fs/cgroup/memory/memory.oom_control'];

/** How many processes of the container's cgroup the kernel has killed for memory; undefined where it does not say. */
export function readOomKills(files: readonly string[] = FILES): number | undefined {
  for (const file of files) {
    try {
      const count = /^oom_kill (\d+)$/m.exec(readFileSync(file, 'utf8'))?.[1];
      if (count !== undefined) return Number(count);
    } catch {
      // Not this version of cgroups, or none mounted.
    }
  }
  return undefined;
}

/** How many more it has killed than `before`. */
export function oomKillsSince(before: number | undefined): number {
  return Math.max(0, (readOomKills() ?? 0) - (before ?? 0));
}
