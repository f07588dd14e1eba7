import { startJobThread } from '../../../base/jobThread.ts';
import type { Owner } from '../../../base/owner.ts';
import type { RangeWriter } from './rangeWriter.ts';
import program from './writeRange.cjs' with { type: 'text' };

/** `owner`: whom the files are given to. */
export const startRangeWriter = (owner: Owner | undefined): RangeWriter => startJobThread(program, { owner });
