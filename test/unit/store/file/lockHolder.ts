import { systemClock } from '../../../../src/base/clock.ts';
import { openBucketLock } from '../../../../src/store/file/bucketLock.ts';

/** A process that takes the lock of the directory it is given and keeps it until it is killed. */
const lock = openBucketLock(process.argv[2] ?? '', systemClock);
await lock.run(() => {
  process.send?.('locked');
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
});
