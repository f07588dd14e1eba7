import { readFileSync } from 'node:fs';

/** Whether the machine has run without a restart since that boot id; false where the system has no boot id. */
export const isThisBoot = (boot: string): boolean => boot !== '' && boot === bootId();

/** The id of this boot of the machine; empty where the system has none. */
export function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return '';
  }
}
