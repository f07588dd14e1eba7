import { StringDecoder } from 'node:string_decoder';
import type { StreamName } from '../frame.ts';

/** Contract, section 7: what is kept of a line. */
export interface LineStamp {
  readonly timestamp: number;
  readonly stream: StreamName;
}

const MIB = 1024 * 1024;
/** Above this a line's elements are counted before it is parsed. */
const LONG_LINE = MIB;
/** More elements than that would take too much memory to look at. */
const MAX_ELEMENTS = 256 * 1024;
const SLICE_BYTES = 64 * 1024;

/** The lines of `payload`, each ended by a newline except perhaps the last, as NDJSON. */
export function encodeLines(stamp: LineStamp, payload: Buffer): Buffer {
  const prefix = prefixOf(stamp);
  const lines = payload.toString('utf8').split('\n');
  if (lines.at(-1) === '') lines.pop();
  let text = '';
  for (const line of lines) {
    const message = line.endsWith('\r') ? line.slice(0, -1) : line;
    text += isStamped(message) ? `${message}\n` : `${prefix}${JSON.stringify(message)}}\n`;
  }
  return Buffer.from(text);
}

/** One line that came in pieces, without its newline. Escapes can make it several times as long: sliced to spare memory. */
export function encodeLongLine(stamp: LineStamp, pieces: readonly Buffer[], truncated: boolean): Buffer {
  const line = Buffer.concat(pieces);
  const bytes = line.at(-1) === CR && !truncated ? line.subarray(0, -1) : line;
  if (!truncated && bytes[0] === BRACE && bytes.at(-1) === BRACE_END) {
    const text = bytes.toString('utf8');
    if (isStamped(text)) return Buffer.from(`${text}\n`);
  }
  const decoder = new StringDecoder('utf8');
  const parts: Buffer[] = [Buffer.from(`${prefixOf(stamp)}"`)];
  for (let at = 0; at < bytes.length; at += SLICE_BYTES) {
    parts.push(escaped(decoder.write(bytes.subarray(at, at + SLICE_BYTES))));
  }
  parts.push(escaped(decoder.end()), Buffer.from(truncated ? '","truncated":true}\n' : '"}\n'));
  return Buffer.concat(parts);
}

export function encodeNote({ timestamp, stream }: LineStamp, message: string): Buffer {
  return Buffer.from(`${prefixOf({ timestamp, stream })}${JSON.stringify(message)}}\n`);
}

const CR = 13;
const BRACE = 123;
const BRACE_END = 125;

function prefixOf({ timestamp, stream }: LineStamp): string {
  return `{"timestamp":"${new Date(timestamp).toISOString()}","stream":"${stream}","message":`;
}

function escaped(text: string): Buffer {
  return Buffer.from(JSON.stringify(text).slice(1, -1));
}

/** A JSON object with a `timestamp` of its own. */
function isStamped(line: string): boolean {
  if (line.charCodeAt(0) !== BRACE && !/^\s*\{/.test(line)) return false;
  if (!line.includes('"timestamp"') || (line.length > LONG_LINE && elements(line) > MAX_ELEMENTS))
    return false;
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null && Object.hasOwn(value, 'timestamp');
  } catch {
    return false;
  }
}

function elements(line: string): number {
  let count = 0;
  for (let i = 0; i < line.length; i += 1) {
    const char = line[i];
    if (char === ',' || char === '[' || char === '{') count += 1;
  }
  return count;
}
