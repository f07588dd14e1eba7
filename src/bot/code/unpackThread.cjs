'use strict';

/*
 * The second thread of a large archive (parts/secondThread.ts): inflates and writes files, a batch at a time, from memory that it shares with
 * the first. Where and as what a file lies has been decided there. What goes wrong with one is not its business: it stops, and
 * the first thread does that batch again, which says what is wrong.
 */
const fs = require('node:fs');
const { parentPort, workerData } = require('node:worker_threads');
const { crc32, inflateRawSync } = require('node:zlib');

const archive = Buffer.from(workerData.archive);
const shared = new Int32Array(workerData.shared);
const CREATE = fs.constants.O_WRONLY | fs.constants.O_CREAT | fs.constants.O_EXCL | fs.constants.O_NOFOLLOW;

function write({ file, start, packedSize, size, crc, isStored, mode, chmod, mtime, owner }) {
  const packed = archive.subarray(start, start + packedSize);
  const bytes = isStored
    ? packed
    : inflateRawSync(packed, { chunkSize: Math.max(64, size + 1), maxOutputLength: size + 1 });
  if (bytes.length !== size || crc32(bytes) !== crc) throw new Error('not what the archive declares');
  const fd = fs.openSync(file, CREATE, mode);
  try {
    for (let done = 0; done < size; ) done += fs.writeSync(fd, bytes, done);
    if (chmod) fs.fchmodSync(fd, mode);
    if (mtime !== undefined) fs.futimesSync(fd, mtime, mtime);
    if (owner) fs.fchownSync(fd, owner.uid, owner.gid);
  } finally {
    fs.closeSync(fd);
  }
}

parentPort.once('message', ({ jobs, batch }) => {
  for (;;) {
    const from = Atomics.load(shared, 0);
    if (from >= jobs.length) break;
    // Noted before it is taken: however this thread ends, no batch is lost.
    Atomics.store(shared, 1, from);
    if (Atomics.compareExchange(shared, 0, from, from + batch) !== from) continue;
    for (const job of jobs.slice(from, from + batch)) write(job);
  }
  Atomics.store(shared, 1, -1);
  // Its own end takes as long as a hundred files.
  parentPort.postMessage('done');
  parentPort.close();
});
