import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { openJournal } from '../../../src/agent/supervisor/capture/journalWriter.ts';
import { createLineFramer } from '../../../src/agent/supervisor/capture/lineFramer.ts';

/** A journal as log capture writes it, without processes. */
export function journalOf(dir: string, { now = Date.now, segmentBytes = 10 << 20 } = {}) {
  const journal = openJournal({ dir, now, segmentBytes });
  const framers = {
    stdout: createLineFramer('stdout', journal.append),
    stderr: createLineFramer('stderr', journal.append),
  };
  return {
    write: (text: string, stream: 'stdout' | 'stderr' = 'stdout') => {
      const bytes = Buffer.from(text);
      for (let at = 0; at < bytes.length; at += 65536) {
        framers[stream].push(bytes.subarray(at, at + 65536), now());
        if (journal.full) journal.makeRoom(true);
      }
    },
    get refused() {
      return journal.refused;
    },
    close: () => {
      framers.stdout.end(now());
      framers.stderr.end(now());
      journal.close();
    },
  };
}

/** `message` of each line in an object of the embedded store. */
export function messagesIn(root: string, bucket: string, key: string): string[] {
  return messages(readFileSync(join(root, bucket, key), 'utf8'));
}

export function messages(text: string): string[] {
  if (!text.endsWith('\n')) throw new Error('the last line is not whole');
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => (JSON.parse(line) as { message: string }).message);
}
