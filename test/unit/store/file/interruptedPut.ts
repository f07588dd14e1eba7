import { Readable } from 'node:stream';
import { openFileStore } from '../../../../src/store/file/file.ts';

/** A process that replaces an object and stops in the middle, to be killed there. */
const store = openFileStore(process.argv[2] ?? '', 'bucket');
const open = () =>
  Readable.from(
    (async function* () {
      yield Buffer.alloc(1000, 'n');
      process.send?.('half');
      await new Promise((resolve) => setTimeout(resolve, 60_000));
      yield Buffer.alloc(1000, 'n');
    })(),
  );
await store.put('first', { size: 2000, open });
