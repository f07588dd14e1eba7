/** For who has mistyped a name. */
export { knownNames } from '../knownNames.ts';
export { suggest } from '../suggest.ts';
