/** A container that answers one query. A part: those of bots never load it. */
export { runEphemeralQuery } from '../once/ephemeral.ts';
export { queryState } from '../once/queryState.ts';
