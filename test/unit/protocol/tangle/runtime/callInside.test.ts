import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { callInside } from '../../../../../src/protocol/tangle/runtime/callInside.ts';

async function server(answer: (request: IncomingMessage, response: ServerResponse) => void, quietMs = 200) {
  const listening = createServer(answer).listen(0, '127.0.0.1');
  await new Promise((resolve) => listening.once('listening', resolve));
  onTestFinished(() => {
    listening.closeAllConnections();
    listening.close();
  });
  const { port } = listening.address() as AddressInfo;
  const dial = async () => connect(port, '127.0.0.1');
  const call = { id: 'a', port, method: 'GET', path: '/', token: undefined, quietMs } as const;
  return () => callInside({ dial }, call, new AbortController().signal);
}

test('one that takes the call and says nothing, or nothing more, is as if it were gone', async () => {
  const never = await server((request) => void request.resume());
  await expect(never()).rejects.toThrow('said nothing');
  const half = await server((_, response) => void response.write('half'));
  const answer = await half();
  const read = async () => {
    for await (const _ of answer);
  };
  await expect(read()).rejects.toThrow();
});

test('one that says something now and then is heard to its end', async () => {
  const slow = await server((_, response) => {
    let said = 0;
    const saying = setInterval(() => {
      response.write('.');
      if (++said < 20) return;
      clearInterval(saying);
      response.end();
    }, 100);
  }, 1000);
  let text = '';
  for await (const piece of await slow()) text += piece;
  expect(text).toBe('.'.repeat(20));
});
