export { readTar, type TarEntry } from '../tar/readTar.ts';
export { TarError } from '../tar/tarError.ts';
