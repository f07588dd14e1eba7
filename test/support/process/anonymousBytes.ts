import { readFileSync } from 'node:fs';

/** Anonymous memory of a process (proc(5), status). */
export function anonymousBytes(pid: number): number {
  return Number(/^RssAnon:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024;
}
