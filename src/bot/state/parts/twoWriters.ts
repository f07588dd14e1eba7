/** What restores a large state by two threads. A part: most states are small. */
export { writeBlobs } from '../restore/writeBlobs.ts';
