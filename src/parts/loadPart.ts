import { getAsset, getRawAsset } from 'node:sea';
import { Script } from 'node:vm';

/**
 * A part of the executable: a library of others that few processes use, bundled by itself and kept as an asset, so that the
 * thousands that never use it hold neither its source nor its code. `scripts/build.ts` makes every file beside this one
 * such a part and puts this call in its place; run from source they are ordinary modules.
 */
export function loadPart(name: string): unknown {
  const script = new Script(`(function (exports, require, module) {${getAsset(`${name}.cjs`, 'utf8')}\n})`, {
    filename: `runtime:${name}`,
    cachedData: Buffer.from(getRawAsset(`${name}.cache`)),
  });
  const module = { exports: {} };
  script.runInThisContext()(module.exports, process.getBuiltinModule, module);
  return module.exports;
}
