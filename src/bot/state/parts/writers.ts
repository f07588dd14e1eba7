/** What restores a large state by several threads. A part: most states are small. */
export { writeBlobs } from '../restore/writeBlobs.ts';
