import { open } from 'node:fs/promises';

/** What is written is the kernel's at once, and the disk's after as much: what a power cut takes, at most. Milliseconds. */
const SOON_MS = 1000;

/** Files, and folders, that are to reach the disk. One after the other, and each once for all that is written to it meanwhile. */
export function createSyncer(sync = syncToDisk, soonMs = SOON_MS): (path: string) => void {
  const waiting = new Set<string>();
  let isUnderWay = false;

  async function flush(): Promise<void> {
    for (const path of waiting) {
      waiting.delete(path);
      // One that is gone, and a disk that fails: whoever writes next is told.
      await sync(path).catch(() => undefined);
    }
    isUnderWay = false;
    if (waiting.size > 0) begin();
  }

  function begin(): void {
    isUnderWay = true;
    setTimeout(() => void flush(), soonMs).unref();
  }

  return (path) => {
    waiting.add(path);
    if (!isUnderWay) begin();
  };
}

async function syncToDisk(path: string): Promise<void> {
  await using file = await open(path, 'r');
  await file.datasync();
}
