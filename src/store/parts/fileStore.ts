export { openFileStore } from '../file/file.ts';
