import { fdatasync, write } from 'node:fs';
import { promisify } from 'node:util';
import { RuntimeError } from '../../base/errors.ts';

const sync = promisify(fdatasync);

/** Lines at the end of a file. */
export interface DurableLog {
  /** Resolves when the line is on the disk. Throws `unsaved` when it cannot be: nothing of it counts then. */
  append(line: string): Promise<void>;
  /** Nothing is being written. */
  readonly isQuiet: boolean;
}

interface Waiting {
  readonly line: string;
  readonly done: () => void;
  readonly failed: (error: unknown) => void;
}

/** What is appended while the disk is busy is written together, with one sync for all of it. */
export function createDurableLog(fd: number): DurableLog {
  let waiting: Waiting[] = [];
  let writing: Promise<void> | undefined;
  // What a crash or a full disk has cut must not run into the next line.
  let mayBeCut = true;

  async function flush(): Promise<void> {
    while (waiting.length > 0) {
      const batch = waiting;
      waiting = [];
      try {
        const lines = batch.map(({ line }) => line).join('');
        await writeAll(fd, Buffer.from(mayBeCut ? `\n${lines}` : lines));
        await sync(fd);
        mayBeCut = false;
        for (const { done } of batch) done();
      } catch (error) {
        const known = new RuntimeError(
          'unsaved',
          `the records cannot be written: ${(error as Error).message}`,
          {
            op: 'host.records',
            retryable: true,
            hint: 'Is the disk of the data folder full?',
            cause: error,
          },
        );
        mayBeCut = true;
        for (const { failed } of batch) failed(known);
      }
    }
    writing = undefined;
  }

  return {
    append: (line) =>
      new Promise((done, failed) => {
        waiting.push({ line, done, failed });
        writing ??= flush();
      }),
    get isQuiet() {
      return writing === undefined && waiting.length === 0;
    },
  };
}

async function writeAll(fd: number, bytes: Buffer): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    done += await new Promise<number>((resolve, reject) =>
      write(fd, bytes, done, bytes.length - done, null, (error, count) =>
        error ? reject(error) : resolve(count),
      ),
    );
  }
}
