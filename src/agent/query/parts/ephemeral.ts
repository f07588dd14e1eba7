/** A container that answers one query. A part: those of bots never load it. */

export { queryState } from '../once/queryState.ts';
export { runEphemeralQuery } from '../once/runEphemeralQuery.ts';
