import { randomBytes } from 'node:crypto';
import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32, deflateRawSync } from 'node:zlib';
import { expect, onTestFinished, test } from 'vitest';
import { startSecondThread } from '../../../../src/bot/code/parts/secondThread.ts';
import { writePlaced } from '../../../../src/bot/code/placedFile.ts';
import { shareFiles } from '../../../../src/bot/code/shareFiles.ts';
import type { SecondThread, ZipJob } from '../../../../src/bot/code/twoThreads.ts';
import { workspace } from './workspace.ts';

/** An archive's memory with `count` files, and the jobs for them. */
function files(count: number, directory: string) {
  const contents = Array.from({ length: count }, (_, i) =>
    Buffer.concat([randomBytes(500), Buffer.alloc(i)]),
  );
  const packed = contents.map((bytes, i) => (i % 3 === 0 ? bytes : deflateRawSync(bytes)));
  const archive = Buffer.from(new SharedArrayBuffer(packed.reduce((sum, { length }) => sum + length, 0)));
  let at = 0;
  const jobs = contents.map((bytes, i): ZipJob => {
    const start = at;
    packed[i]!.copy(archive, at);
    at += packed[i]!.length;
    return {
      file: join(directory, String(i)),
      mode: i % 2 === 0 ? 0o644 : 0o755,
      chmod: false,
      mtime: 1_000_000_000 + i,
      owner: undefined,
      start,
      packedSize: packed[i]!.length,
      size: bytes.length,
      crc: crc32(bytes),
      isStored: i % 3 === 0,
    };
  });
  const thread = startSecondThread(archive.buffer as unknown as SharedArrayBuffer);
  onTestFinished(() => thread.close());
  const written: string[] = [];
  const doHere = (job: ZipJob) => {
    const index = jobs.findIndex(({ file }) => file === job.file);
    written.push(job.file);
    writePlaced(job, contents[index]!);
  };
  const check = () => {
    for (const [i, job] of jobs.entries()) {
      expect(readFileSync(job.file).equals(contents[i]!), job.file).toBe(true);
      expect(statSync(job.file).mtimeMs / 1000).toBe(job.mtime);
      expect(statSync(job.file).mode & 0o777).toBe(job.mode);
    }
  };
  return { jobs, thread, doHere, written, check };
}

async function share(thread: SecondThread, jobs: readonly ZipJob[], doHere: (job: ZipJob) => void) {
  const shared = shareFiles<undefined>(thread, doHere);
  for (const job of jobs) await shared.add(job, undefined);
  await shared.end();
}

test('all files are there, each once, whoever has written it; and the other thread has written some', async () => {
  const { jobs, thread, doHere, written, check } = files(600, workspace());
  // It is up before the first job, as behind a download: else this thread may have done it all.
  expect(await thread.run([])).toBe(true);
  await share(thread, jobs, doHere);
  check();
  expect(written.length).toBeLessThan(600);
  expect(new Set(written).size).toBe(written.length);
});

test('what the other thread cannot do is done here, where it says what is wrong', async () => {
  const { jobs, thread, doHere, check } = files(100, workspace());
  // Something lies where it creates: it stops, with all of its batch undone.
  for (const { file } of jobs) writeFileSync(file, 'in the way');
  await share(thread, jobs, (job) => {
    rmSync(job.file, { force: true });
    doHere(job);
  });
  check();
});

test('a wrong checksum is found here', async () => {
  const { jobs, thread } = files(200, workspace());
  const wrong = jobs.map((job) => ({ ...job, crc: job.crc ^ 1 }));
  const refuse = () => {
    throw new Error('refused');
  };
  await expect(share(thread, wrong, refuse)).rejects.toThrow('refused');
});

test('a thread that is gone leaves everything to this one', async () => {
  const { jobs, thread, doHere, check } = files(50, workspace());
  await thread.close();
  await share(thread, jobs, doHere);
  check();
});
