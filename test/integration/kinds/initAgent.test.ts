import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { agentClient } from '../../support/agent/agentClient.ts';
import { whenReady } from '../../support/agent/handlers.ts';
import { temporaryDirectory } from '../../support/files/temporary.ts';
import { runRuntime, startRuntime } from '../../support/process/executable.ts';
import { freePort } from '../../support/process/freePort.ts';

test.each(['python3.11', 'nodejs20'])(
  'what `runtime init --agent --kind %s` makes answers, and remembers over its next life',
  async (kind) => {
    const dir = join(await temporaryDirectory(), 'mine');
    expect(await runRuntime(['init', dir, '--agent', '--kind', kind], {})).toMatchObject({ code: 0 });
    const port = String(await freePort());
    const client = agentClient(`http://127.0.0.1:${port}/_runtime/agent`);
    for (const [said, reply] of [
      ['hello', 'You said: hello'],
      ['again', 'You said: again (that makes 2, the first was: hello)'],
    ]) {
      const agent = startRuntime(['execute', dir], { QUERY_PORT: port });
      await whenReady(client, agent);
      const { body } = await client.send({ message: said, conversation: 'a' });
      expect(body).toMatchObject({ status: 'completed', reply });
      // As its README says, which knows nothing of the port.
      const [, whom = ''] =
        /runtime ask (\S+) "hello"/.exec(await readFile(join(dir, 'README.md'), 'utf8')) ?? [];
      expect(await runRuntime(['ask', whom, 'hello'], {}, dir)).toMatchObject({
        code: 0,
        stdout: expect.stringContaining('You said: hello'),
      });
      agent.child.kill('SIGTERM');
      expect((await agent.finished).code).toBe(143);
    }
  },
);

test('there is no sample of an agent of every kind', async () => {
  const dir = join(await temporaryDirectory(), 'mine');
  const made = await runRuntime(['init', dir, '--agent', '--kind', 'gcc13'], {});
  expect(made.code).toBe(64);
  expect(made.stderr).toContain('nodejs20');
});
