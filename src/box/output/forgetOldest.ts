import type { OutputLog } from './outputLog.ts';

/** Of those whose log has ended, all but the newest `most` go, and their logs; `all` is in the order of their start. */
export function forgetOldest<Id>(all: Map<Id, { readonly log: OutputLog }>, most: number): void {
  const ended = [...all].filter(([, { log }]) => log.isEnded);
  for (const [id, { log }] of ended.slice(0, -most)) {
    log.remove();
    all.delete(id);
  }
}
