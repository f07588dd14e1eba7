import { readFileSync } from 'node:fs';

/** Whether the machine has run since; false where the system does not tell. */
export const isThisBoot = (boot: string): boolean => boot !== '' && boot === bootId();

/** The same as long as the machine runs; empty where the system does not tell. */
export function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return '';
  }
}
