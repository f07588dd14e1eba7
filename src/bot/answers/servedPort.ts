import { join } from 'node:path';
import { readRegularFile } from '../../base/readRegularFile.ts';
import { replaceFile } from '../../base/replaceFile.ts';

const fileOf = (directory: string) => join(directory, '.runtime', 'port');

/** Keeps the port on which the bot that runs in `directory` is asked: it need not be the one that was wished for. */
export function writeServedPort(directory: string, port: number): void {
  replaceFile(fileOf(directory), `${port}\n`, { mode: 0o644 });
}

/** Of the bot that has run in `directory` last; it stays when the bot ends, so that nobody asks another bot instead. */
export function readServedPort(directory: string): number | undefined {
  const port = Number(readRegularFile(fileOf(directory), 16));
  return Number.isInteger(port) && port >= 1 && port <= 65_535 ? port : undefined;
}
