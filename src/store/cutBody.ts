import { Readable } from 'node:stream';

/** Of a whole object, which a gateway sent in answer to a request for a range, that range: bytes `start` to `end`. */
export function cutBody(
  whole: Readable,
  { start, end }: { readonly start: number; readonly end: number },
): Readable {
  async function* cut(): AsyncGenerator<Uint8Array> {
    let position = 0;
    for await (const chunk of whole) {
      const part = chunk.subarray(Math.max(0, start - position), Math.max(0, end - position));
      position += chunk.length;
      if (part.length > 0) yield part;
    }
  }
  const body = Readable.from(cut(), { objectMode: false });
  // One that is given up before its first byte never enters the generator.
  body.once('close', () => whole.destroy());
  whole.once('error', (error) => body.destroy(error));
  return body;
}
