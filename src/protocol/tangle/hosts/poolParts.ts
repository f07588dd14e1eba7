import type { Parts } from '../parts.ts';
import type { Others } from './openOthers.ts';

/** What the paths of several hosts are made of. */
export type PoolParts = Parts & Others;
