export { readTask } from '../readTask.ts';
