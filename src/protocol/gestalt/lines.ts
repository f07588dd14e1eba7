import { StringDecoder } from 'node:string_decoder';

const MAX_LINE = 64 * 1024;

/** Cuts output into lines; a very long one is cut there. `end` gives what is left. */
export function lineCutter(onLine: (line: string) => void): { push(bytes: Uint8Array): void; end(): void } {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  return {
    push: (bytes) => {
      const lines = (rest + decoder.write(Buffer.from(bytes))).split('\n');
      rest = lines.pop()!;
      for (const line of lines) onLine(line.replace(/\r$/, ''));
      for (; rest.length > MAX_LINE; rest = rest.slice(MAX_LINE)) onLine(rest.slice(0, MAX_LINE));
    },
    end: () => {
      const last = rest + decoder.end();
      rest = '';
      if (last !== '') onLine(last);
    },
  };
}
