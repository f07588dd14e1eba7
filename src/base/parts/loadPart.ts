import * as sea from 'node:sea';
import { Script } from 'node:vm';

/**
 * The room of the large libraries, a file each that hands one on. This one loads them, and whatever else lies in a folder `parts`.
 *
 * A part of the executable: a bundle that is kept as an asset, with V8's cache of its code. Besides our own code, which is one,
 * these are the libraries, and what else of ours, few processes use: the thousands that never do hold neither source nor code.
 * `scripts/build.ts` makes every file in a `parts` folder such a part and puts this call in its place; run from source they
 * are ordinary modules. A cache that another architecture made is refused by V8, and the part is compiled as it runs.
 */
export function loadPart(name: string): unknown {
  // The bundles are ASCII: V8 keeps them as they are.
  const cachedData = cacheIn(Buffer.from(sea.getRawAsset(`${name}.cache`)));
  const script = new Script(sea.getAsset(`${name}.js`, 'latin1'), {
    filename: `runtime:${name}`,
    ...(cachedData && { cachedData }),
  });
  const module = { exports: {} };
  script.runInThisContext()(module.exports, builtin, module);
  return module.exports;
}

/** Its length comes first; the rest is room that it did not need. 0: there is none. */
function cacheIn(room: Buffer): Buffer | undefined {
  const length = room.readUInt32LE();
  return length === 0 ? undefined : room.subarray(4, 4 + length);
}

/** A part's parts come from where it comes from. */
const builtin = (name: string): unknown => (name === 'node:sea' ? sea : process.getBuiltinModule(name));
