import { PassThrough, Readable } from 'node:stream';
import { expect, test } from 'vitest';
import type { Call } from '../../../../src/host/folderStore/call.ts';
import { getObject } from '../../../../src/host/folderStore/objectCalls.ts';

/** A call for an object, and its body; `gone`: whoever asks has gone when the store answers. */
function callFor(gone: boolean) {
  const body = Readable.from(['bytes']);
  const response = Object.assign(new PassThrough(), { writeHead: () => undefined });
  const store = {
    get: async () => {
      if (gone) response.destroy();
      return { key: 'head', size: 5, etag: 'e', modified: 0, body };
    },
  };
  const { signal } = new AbortController();
  return {
    body,
    response,
    call: { key: 'head', store, request: { headers: {} }, response, signal } as unknown as Call,
  };
}

test('the body of an object is closed also where nobody is there any more to take it', async () => {
  const { body, call } = callFor(true);
  await expect(getObject(call)).rejects.toThrow();
  expect(body.destroyed).toBe(true);
});

test('whoever is there gets it', async () => {
  const { body, response, call } = callFor(false);
  await getObject(call);
  expect([String(response.read()), body.destroyed]).toEqual(['bytes', true]);
});
