import { isMemoryTight } from './isMemoryTight.ts';
import { garbageCollector } from './releaseMemory.ts';

/** So much garbage may lie about. Bytes. */
const MUCH_BYTES = 1024 * 1024;

/**
 * To be told how many bytes have passed through buffers that are garbage now. Where memory is tight they are collected every now and
 * then: V8 counts them, and is in no hurry before there are tens of MiB.
 */
export function collectAsItComes(): (bytes: number) => void {
  if (!isMemoryTight()) return () => undefined;
  const collect = garbageCollector();
  let since = 0;
  return (bytes) => {
    since += bytes;
    if (since < MUCH_BYTES) return;
    since = 0;
    collect({ type: 'minor' });
  };
}
