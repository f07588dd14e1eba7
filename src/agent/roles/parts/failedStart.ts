export { recordFailedStart } from '../recordFailedStart.ts';
