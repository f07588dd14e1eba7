import { getAsset, getRawAsset } from 'node:sea';
import { Script } from 'node:vm';

/**
 * A part of the executable: a bundle that is kept as an asset, with V8's cache of its code. Besides our own code, which is one,
 * these are the libraries, and what else of ours, few processes use: the thousands that never do hold neither source nor code.
 * `scripts/build.ts` makes every file in a `parts` folder such a part and puts this call in its place; run from source they
 * are ordinary modules. A cache that another architecture made is refused by V8, and the part is compiled as it runs.
 */
export function loadPart(name: string): unknown {
  // The bundles are ASCII: V8 keeps them as they are.
  const script = new Script(getAsset(`${name}.js`, 'latin1'), {
    filename: `runtime:${name}`,
    cachedData: Buffer.from(getRawAsset(`${name}.cache`)),
  });
  const module = { exports: {} };
  script.runInThisContext()(module.exports, process.getBuiltinModule, module);
  return module.exports;
}
