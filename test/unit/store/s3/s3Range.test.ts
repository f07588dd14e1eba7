import { expect, test } from 'vitest';
import { getBytes } from '../../../../src/store/readAll.ts';
import { answering } from '../../../support/store/answering.ts';

test.each(['s3', 'aws'] as const)(
  'a range that begins elsewhere is not taken for the one that was asked for: %s',
  async (type) => {
    // A cache that answers with the range that somebody asked for before.
    const headers = { etag: '"t"', 'content-range': 'bytes 2-5/10' };
    const store = await answering(headers, '2345', {}, type, 206);
    const read = (start: number) =>
      getBytes(store, 'key', { range: { start, end: start + 4 }, maxBytes: 10 });
    expect((await read(2)).bytes.toString()).toBe('2345');
    await expect(read(4)).rejects.toMatchObject({ code: 'unavailable', retryable: true });
  },
);
