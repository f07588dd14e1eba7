export { passBytes } from '../passBytes.ts';
