import { expect, test } from 'vitest';
import { startBox } from '../../../support/box/startBox.ts';

test('says which ports anybody listens on', async () => {
  const box = await startBox();
  const script =
    'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); s.listen(); print(s.getsockname()[1], flush=True); input()';
  const { data } = await box.client.json('POST', '/process/spawn', {
    executable: 'sh',
    args: ['-c', `sleep 1000 | python3 -c '${script}'`],
  });
  let port = 0;
  for await (const entry of box.client.logs(data.pid)) {
    port = Number(entry.data);
    break;
  }
  const ports = (await box.client.json('GET', '/ports')).data.ports as {
    port: number;
    isLoopback: boolean;
  }[];
  expect(ports).toContainEqual({ port, isLoopback: true });
  // Its own is not among them.
  expect(ports.map((one) => one.port)).not.toContain(Number(new URL(box.url).port));
});
