import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { BoxError } from '../http/boxError.ts';
import { STALLED_MS } from '../http/readJson.ts';

const CRLF = Buffer.from('\r\n');
/** RFC 2046: 70 characters at most, and two hyphens. */
const MOST_BOUNDARY_BYTES = 72;
const MOST_FIELD_BYTES = 64 * 1024;
const MOST_PARTS = 16;

/** What to do with the bytes of the form's file. They have to be taken to their end. */
export type TakeFile<T> = (bytes: Readable) => Promise<T>;

export interface Form<T> {
  readonly fields: ReadonlyMap<string, string>;
  /** What has become of its file. */
  readonly taken: T;
}

/**
 * A multipart form with one file, taken as it comes. Its boundary is in its first line: clients send it under the content type of JSON, without
 * one. Its other fields may come before or after the file. Throws `BoxError` 400 and 408.
 */
export async function readForm<T>(
  request: IncomingMessage,
  fileField: string,
  take: TakeFile<T>,
): Promise<Form<T>> {
  const first = await firstLine(request);
  const { Busboy } = await import('../../base/parts/busboy.ts');
  const parser = new Busboy({
    headers: { 'content-type': `multipart/form-data; boundary=${first.boundary}` },
    limits: { fieldSize: MOST_FIELD_BYTES, parts: MOST_PARTS, files: MOST_PARTS },
  });
  const fields = new Map<string, string>();
  let file: Readable | undefined;
  let taken: Promise<T> | undefined;
  parser.on('field', (name, value) => fields.set(name, value));
  // A form that ends half-way is an error of both, told below: with nobody to listen it would end the process.
  parser.on('error', () => undefined);
  parser.on('file', (name, bytes) => {
    bytes.on('error', () => undefined);
    if (name !== fileField || taken) bytes.resume();
    else {
      file = bytes;
      taken = take(bytes);
      // What fails is told at the end; the rest of the form is read all the same, so that the client gets to hear it.
      taken.catch(() => bytes.resume());
    }
  });
  const late = setTimeout(() => request.destroy(), STALLED_MS);
  request.on('data', () => late.refresh());
  // A pipe tells nobody that its source has gone: both would be waited for until we die.
  request.once('close', () => {
    if (request.readableEnded) return;
    const cut = new BoxError(400, 'ABANDONED', 'the request ended half-way');
    file?.destroy(cut);
    parser.destroy(cut);
  });
  try {
    parser.write(first.bytes);
    await finished(request.pipe(parser)).catch(() => {
      throw new BoxError(400, 'VALIDATION_ERROR', 'the form is damaged, or ended half-way');
    });
    await taken;
  } catch (error) {
    await taken?.catch(() => undefined);
    throw error;
  } finally {
    clearTimeout(late);
  }
  if (!taken)
    throw new BoxError(400, 'VALIDATION_ERROR', `the form has no file ${fileField}`, {
      fields: { [fileField]: 'is missing' },
    });
  return { fields, taken: await taken };
}

async function firstLine(request: IncomingMessage): Promise<{ boundary: string; bytes: Buffer }> {
  let bytes = Buffer.alloc(0);
  const none = new BoxError(400, 'VALIDATION_ERROR', 'the body is no multipart form');
  while (true) {
    const piece = (request.read() as Buffer | null) ?? undefined;
    if (piece) bytes = Buffer.concat([bytes, piece]);
    const end = bytes.indexOf(CRLF);
    const line = bytes.subarray(0, end === -1 ? bytes.length : end).toString('latin1');
    if (line.length > 1 && !line.startsWith('--')) throw none;
    if (end > 2 && end <= MOST_BOUNDARY_BYTES) {
      // Before pipe(): what was read is given to the parser by hand.
      return { boundary: `"${line.slice(2).replaceAll('"', '')}"`, bytes };
    }
    if (end !== -1 || bytes.length > MOST_BOUNDARY_BYTES + 2 || request.readableEnded || request.destroyed)
      throw none;
    if (!piece) await readable(request);
  }
}

function readable(request: IncomingMessage): Promise<void> {
  return new Promise((resolve) => {
    const late = setTimeout(() => request.destroy(), STALLED_MS);
    const done = () => {
      clearTimeout(late);
      for (const event of ['readable', 'end', 'close']) request.off(event, done);
      resolve();
    };
    for (const event of ['readable', 'end', 'close']) request.once(event, done);
  });
}
