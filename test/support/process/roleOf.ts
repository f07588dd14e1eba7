import { readdirSync, readFileSync } from 'node:fs';
import { readProcessTable } from '../../../src/base/process/processTree.ts';

export type Role = 'daemon' | 'query' | 'guard';

/** What is on its command line, and on no other's. */
const words: Readonly<Record<Role, string>> = {
  daemon: 'daemon',
  query: '--query-server-only',
  guard: 'end-groups',
};

/** The process in this role below a supervisor, as the process table shows it now; undefined: there is none. */
export function roleOf(supervisor: number, role: Role): number | undefined {
  const word = words[role];
  return readProcessTable()
    .filter(({ parent, state }) => parent === supervisor && state !== 'Z')
    .map(({ pid }) => pid)
    .find((pid) => commandLine(pid).includes(word));
}

/** Processes that live and have this text in their environment. */
export function processesWith(environment: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/environ`, 'latin1').includes(environment);
      } catch {
        return false;
      }
    });
}

function commandLine(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1').split('\0');
  } catch {
    return [];
  }
}
