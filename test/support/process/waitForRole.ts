import { expect } from 'vitest';
import { type Role, roleOf } from './roleOf.ts';

/** Waits for the process in this role; `other`: not this one. */
export async function waitForRole(supervisor: number, role: Role, other?: number): Promise<number> {
  const find = () => {
    const pid = roleOf(supervisor, role);
    return pid === other ? undefined : pid;
  };
  await expect.poll(find, { timeout: 20_000, interval: 10 }).toBeDefined();
  return find() ?? Number.NaN;
}
