/** Containers of this much and less: what is held at a time has to be small, at the cost of time. Bytes. */
const TIGHT_BYTES = 128 * 1024 * 1024;

/** Whether our cgroup may use little memory. Asked where much is about to be moved: it reads some files. */
export function isMemoryTight(): boolean {
  const limit = process.constrainedMemory();
  return limit > 0 && limit <= TIGHT_BYTES;
}
