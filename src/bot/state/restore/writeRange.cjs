'use strict';

/*
 * A thread of a large restore (startRangeWriter.ts): unpacks, verifies and writes a range of a pack at a time, as
 * `unpack`, `blobOf` and `TreeWriter` do. Where and as what a file lies has been decided by the first thread. What goes wrong
 * is not its business: it says that it gave up, and the first thread does that range again, which says what is wrong.
 */
const { hash } = require('node:crypto');
const fs = require('node:fs');
const { parentPort, workerData } = require('node:worker_threads');
const { constants, createZstdDecompress } = require('node:zlib');

// Whoever waits for it sees its end. Node itself would hand the error over, and ends the whole process: in a thread of one that starts from
// a snapshot (scripts/build.d) it cannot load what it needs for that.
process.on('uncaughtException', () => process.exit(1));

const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = fs.constants;
const PAGE_BYTES = 4096;
const zeros = Buffer.alloc(PAGE_BYTES);
const { owner } = workerData;

function isZero(bytes, from, to) {
  return bytes[from] === 0 && zeros.compare(bytes, from, to, 0, to - from) === 0;
}

function writeFully(fd, bytes, from, to, position) {
  for (let at = from; at < to; ) at += fs.writeSync(fd, bytes, at, to - at, position + at);
}

function writeSparsely(fd, bytes, position, size) {
  let start = 0;
  for (let at = 0; at < bytes.length; at += PAGE_BYTES) {
    if (!isZero(bytes, at, Math.min(at + PAGE_BYTES, bytes.length))) continue;
    writeFully(fd, bytes, start, at, position);
    start = at + PAGE_BYTES;
  }
  writeFully(fd, bytes, start, bytes.length, position);
  if (start >= bytes.length) fs.ftruncateSync(fd, size);
}

function write(bytes, { path, fileSize, start, whole }) {
  const flags = whole ? O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW : O_WRONLY | O_NOFOLLOW;
  const fd = fs.openSync(Buffer.from(path, 'latin1'), flags, 0o600);
  try {
    writeSparsely(fd, bytes, start, fileSize);
    if (!whole) return;
    fs.fchmodSync(fd, whole.mode);
    fs.futimesSync(fd, whole.mtime, whole.mtime);
    if (!owner) return;
    fs.fchownSync(fd, owner.uid, owner.gid);
    if (whole.mode & 0o6000) fs.fchmodSync(fd, whole.mode);
  } finally {
    fs.closeSync(fd);
  }
}

/*
 * One decoder and one buffer for all frames: with those that `zstdDecompressSync` makes anew for each, a megabyte takes seven times as
 * long, and is garbage. Node has no other way to decode into memory that is there; its version is the one that is in the executable.
 */
let decoder;
let output = Buffer.allocUnsafeSlow(1024 * 1024);

function unpack(stored, size) {
  if (stored.length === size) return stored;
  if (size > output.length) output = Buffer.allocUnsafeSlow(size);
  if (!decoder || decoder.destroyed) decoder = createZstdDecompress({ chunkSize: 64 }).on('error', () => {});
  const { _handle: handle, _writeState: left } = decoder;
  // An error leaves it as it was.
  left.fill(1);
  handle.writeSync(constants.ZSTD_e_end, stored, 0, stored.length, output, 0, size);
  const [outputLeft, inputLeft] = left;
  if (outputLeft === 0 && inputLeft === 0) return output.subarray(0, size);
  decoder.destroy();
  throw new Error('not what it was');
}

function writeRange({ memory, frames }) {
  const range = Buffer.from(memory);
  for (const { at, stored, size, blobs } of frames) {
    const frame = unpack(range.subarray(at, at + stored), size);
    for (const { position, size, sha256, files } of blobs) {
      const bytes = frame.subarray(position, position + size);
      if (bytes.length !== size || hash('sha256', bytes) !== sha256) throw new Error('not what it was');
      for (const file of files) write(bytes, file);
    }
  }
}

parentPort.on('message', (job) => {
  try {
    writeRange(job);
    parentPort.postMessage(true);
  } catch {
    parentPort.postMessage(false);
  }
});
