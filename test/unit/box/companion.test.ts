import { once } from 'node:events';
import { expect, test } from 'vitest';
import { startBox } from '../../support/box/startBox.ts';
import { isRunning } from '../../support/process/isRunning.ts';

test('the command beside it has descriptor 3 to itself, and no token; its end is the end of the box', async () => {
  const script = 'read line <&3; echo "got $line $(env | grep -c ^BOX_)" >&3; read line <&3; exit 7';
  const box = await startBox({ companion: ['/bin/sh', '-c', script] });
  const channel = box.channel!;
  channel.write('go\n');
  expect(String((await once(channel, 'data'))[0])).toBe('got go 0\n');
  // What the box starts has none of it.
  expect((await box.exec('true <&3')).exitCode).not.toBe(0);
  const ended = once(channel, 'end');
  channel.resume();
  channel.write('end\n');
  expect(await box.exited).toBe(7);
  // Nobody else holds the other end.
  await ended;
});

test('what the box has started ends with the command beside it', async () => {
  const box = await startBox({ companion: ['/bin/sh', '-c', 'read line <&3; kill -KILL $$'] });
  const pid = await box.client.spawn(
    'trap "echo told; exit 0" TERM; echo ready; while :; do sleep 0.05; done',
  );
  const logs = box.client.logs(pid);
  expect((await logs.next()).value.data).toBe('ready\n');
  box.channel!.write('end\n');
  try {
    while (!(await logs.next()).done);
  } catch {
    // The box may be gone before the end of the stream is through.
  }
  expect(await box.exited).toBe(137);
  expect(isRunning(pid)).toBe(false);
});

test('one that cannot be started is told, and nothing is served', async () => {
  await expect(startBox({ companion: ['/no/such/agent'] })).rejects.toThrow('the box has ended with 127');
});
