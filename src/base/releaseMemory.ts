/**
 * Gives back what a burst of work has used and nobody needs any more: garbage, and the bytecode of functions that have run
 * and will not soon run again. V8 does this by itself only while it allocates, so a process that then sleeps for days
 * would keep it for days. Takes some 10 ms.
 */
export function releaseMemory(): void {
  // Asked for only here: a start would load them for nothing.
  const { setFlagsFromString } = process.getBuiltinModule('node:v8');
  const { runInNewContext } = process.getBuiltinModule('node:vm');
  setFlagsFromString('--expose-gc');
  setFlagsFromString('--stress-flush-code');
  const collect = runInNewContext('gc') as (options: { type: 'major'; flavor: 'last-resort' }) => void;
  collect({ type: 'major', flavor: 'last-resort' });
  setFlagsFromString('--no-stress-flush-code');
}
