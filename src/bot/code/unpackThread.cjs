'use strict';

/*
 * The second thread of a large archive (parts/secondThread.ts): inflates and writes files, a batch at a time, from memory that it shares with
 * the first. Where and as what a file lies has been decided there. What goes wrong with one is not its business: it says that it gave
 * up, and the first thread does that batch again, which says what is wrong.
 */
const fs = require('node:fs');
const { parentPort, workerData } = require('node:worker_threads');
const { constants, crc32, createInflateRaw } = require('node:zlib');

// Whoever waits for it sees its end. Node itself would hand the error over, and ends the whole process: in a thread of one that starts from
// a snapshot (scripts/build.d) it cannot load what it needs for that.
process.on('uncaughtException', () => process.exit(1));

const archive = Buffer.from(workerData.archive);
const CREATE = fs.constants.O_WRONLY | fs.constants.O_CREAT | fs.constants.O_EXCL | fs.constants.O_NOFOLLOW;

/*
 * One inflater and one buffer for all files: `inflateRawSync` makes both anew for each, which costs a third of the inflating, and garbage.
 * Node has no other way to inflate into memory that is there; its version is the one that is in the executable.
 */
let inflater;
let output = Buffer.allocUnsafeSlow(64 * 1024);

function inflate(packed, size) {
  // One byte more than declared: what holds more is found out.
  if (size >= output.length) output = Buffer.allocUnsafeSlow(size + 1);
  if (!inflater || inflater.destroyed) inflater = createInflateRaw({ chunkSize: 64 }).on('error', () => {});
  const { _handle: handle, _writeState: left } = inflater;
  handle.reset();
  // An error leaves it as it was.
  left.fill(2);
  handle.writeSync(constants.Z_FINISH, packed, 0, packed.length, output, 0, size + 1);
  const [outputLeft, inputLeft] = left;
  if (outputLeft === 1 && inputLeft === 0) return output.subarray(0, size);
  inflater.destroy();
  throw new Error('not what the archive declares');
}

function write({ file, start, packedSize, size, crc, isStored, mode, chmod, mtime, owner }) {
  const packed = archive.subarray(start, start + packedSize);
  const bytes = isStored ? packed : inflate(packed, size);
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

parentPort.on('message', (jobs) => {
  try {
    for (const job of jobs) write(job);
    parentPort.postMessage(true);
  } catch {
    parentPort.postMessage(false);
  }
});
