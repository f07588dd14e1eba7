/** For who has named a program that is not there. */
export { missingEntrypoint } from '../missingEntrypoint.ts';
