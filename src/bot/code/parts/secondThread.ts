import { startJobThread } from '../../../base/jobThread.ts';
import type { SecondThread } from '../twoThreads.ts';
import program from '../unpackThread.cjs' with { type: 'text' };

export const startSecondThread = (archive: SharedArrayBuffer): SecondThread =>
  startJobThread(program, { archive });
