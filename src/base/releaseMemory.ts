/**
 * Gives back what a burst of work has used and nobody needs any more: garbage, and the bytecode of functions that have run
 * and will not soon run again. V8 does this by itself only while it allocates, so a process that then sleeps for days
 * would keep it for days. Takes some 10 ms.
 */
export function releaseMemory(): void {
  const collect = garbageCollector();
  const { setFlagsFromString } = process.getBuiltinModule('node:v8');
  setFlagsFromString('--stress-flush-code');
  collect({ type: 'major', flavor: 'last-resort' });
  setFlagsFromString('--no-stress-flush-code');
}

export type CollectGarbage = (options: { type: 'minor' } | { type: 'major'; flavor: 'last-resort' }) => void;

/** V8's own collector, to be called by who knows that there is garbage before V8 does. */
export function garbageCollector(): CollectGarbage {
  // Asked for only here: a start would load them for nothing.
  const { setFlagsFromString } = process.getBuiltinModule('node:v8');
  const { runInNewContext } = process.getBuiltinModule('node:vm');
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc') as CollectGarbage;
}
