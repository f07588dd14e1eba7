/** What an append to a large object takes: the day's log of a bot that says much. A part: most bots never make one. */
export { appendByCopy } from '../s3/appendByCopy.ts';
export { s3Multipart } from '../s3/s3Multipart.ts';
export { createSweeper } from '../s3/sweepUploads.ts';
