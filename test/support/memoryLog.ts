import { createLogger, type Logger } from '../../src/base/log.ts';

/** A logger that keeps its lines. */
export function memoryLog(): { readonly log: Logger; readonly lines: string[] } {
  const lines: string[] = [];
  const log = createLogger({
    level: 'debug',
    format: 'text',
    role: 'test',
    now: Date.now,
    write: (line) => void lines.push(line),
  });
  return { log, lines };
}
