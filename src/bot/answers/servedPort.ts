import { join } from 'node:path';
import { readRegularFile } from '../../base/readRegularFile.ts';
import { replaceFile } from '../../base/replaceFile.ts';

const fileOf = (directory: string) => join(directory, '.runtime', 'port');

export interface Served {
  readonly port: number;
  /** The process whose end is the bot's; 0: it is not known. */
  readonly pid: number;
}

/** Keeps the port on which the bot that runs in `directory` is asked: it need not be the one that was wished for. */
export function writeServedPort(directory: string, { port, pid }: Served): void {
  replaceFile(fileOf(directory), `${port} ${pid}\n`, { mode: 0o644 });
}

/** Of the bot that has run in `directory` last; it stays when the bot ends. Undefined: none has been asked there. */
export function readServedPort(directory: string): Served | undefined {
  const [port = 0, pid = 0] = (readRegularFile(fileOf(directory), 64) ?? '').trim().split(' ').map(Number);
  if (!Number.isInteger(port) || port < 1 || port > 65_535) return undefined;
  return { port, pid: Number.isInteger(pid) && pid > 0 ? pid : 0 };
}
