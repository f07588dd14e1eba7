import { randomBytes } from 'node:crypto';
import { beforeAll, describe, expect, inject, test } from 'vitest';
import { runContainer } from '../support/container/container.ts';
import { containerBots } from '../support/container/containerBots.ts';
import { universalImage } from '../support/container/docker.ts';
import { freePort } from '../support/process/freePort.ts';
import { scaled } from '../support/scale.ts';

const image = await universalImage();

/** Writes to its state, and then takes memory until it is killed. */
const greedy = `
import os
with open(os.path.dirname(os.environ["STATE_DIR"]) + "/kept", "w") as f:
    f.write("kept")
taken = []
while True:
    taken.append(bytearray(1 << 20))
`;

/** No child of it is as large as one of the runtime's processes, and it outlives those that are killed. */
const crowd = `
import os, sys, time
for _ in range(40):
    if os.fork() == 0:
        taken = []
        for _ in range(80):
            taken.append(bytearray(200 * 1024))
            time.sleep(0.01)
        time.sleep(3)
        os._exit(0)
with open(os.path.dirname(os.environ["STATE_DIR"]) + "/kept", "w") as f:
    f.write("kept")
while True:
    try:
        os.wait()
    except ChildProcessError:
        sys.exit(5)
`;

/** A query program that takes memory until it is killed. */
const greedyQuery = `
import http.server, os
taken = []
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        while True:
            taken.append(bytearray(1 << 20))
    def log_message(self, *args):
        pass
http.server.HTTPServer(("127.0.0.1", int(os.environ["THE0_QUERY_PORT"])), Handler).serve_forever()
`;

/** Asks it, and ends once there was no answer. */
const asking = `
import json, os, time, urllib.error, urllib.request
with open(os.path.dirname(os.environ["STATE_DIR"]) + "/kept", "w") as f:
    f.write("kept")
answer = ""
while "half-way" not in answer:
    try:
        answer = urllib.request.urlopen("http://127.0.0.1:%s/any" % json.loads(os.environ["BOT_CONFIG"])["port"]).read().decode()
    except urllib.error.HTTPError as error:
        answer = error.read().decode()
    except OSError:
        time.sleep(0.1)
print(answer)
`;

describe.skipIf(image.missing !== undefined)('when memory runs out', { timeout: 120_000 }, () => {
  let bots: Awaited<ReturnType<typeof containerBots>>;
  beforeAll(async () => {
    bots = await containerBots(inject('minio'));
  });

  const python = (main: string) =>
    bots.deploy({ kind: 'python3.11', entrypoint: 'main.py', files: { 'main.py': main } });
  const kept = async (env: Readonly<Record<string, string>>) => {
    const look = { ...env, RUNTIME: 'command', ENTRYPOINT: 'cat "$(dirname "$STATE_DIR")"/kept' };
    return (await runContainer({ image: image.tag, env: look })).stdout;
  };

  test('in 64 MiB a bot that takes it all is killed, and its state is saved', async () => {
    const env = await python(greedy);
    const { exit, exitRecord } = await runContainer({ image: image.tag, env, memory: '64m' });
    expect({ exit, ...exitRecord }).toMatchObject({
      exit: 137,
      source: 'bot',
      signal: 'SIGKILL',
      reason: 'out of memory',
      stateSaved: true,
      logsSaved: true,
    });
    expect(await kept(env)).toBe('kept');
  });

  test('96 MiB are enough for a state of many files and for its code: saved and restored', async () => {
    const count = scaled(400);
    const noise = (bytes: number) =>
      Array.from(randomBytes(bytes), (byte) => String.fromCharCode(byte)).join('');
    const modules = Array.from({ length: 40 }, (_, i) => [`data/${i}.bin`, noise(100_000)] as const);
    const env = await bots.deploy({
      kind: 'command',
      entrypoint: 'cd "$(dirname "$STATE_DIR")"; md5sum -c --quiet sums; ls | wc -l',
      files: Object.fromEntries(modules),
    });
    const write = `cd "$(dirname "$STATE_DIR")"; for i in $(seq ${count}); do head -c 15000 /dev/urandom > f$i; done; md5sum f* > sums`;
    const first = await runContainer({
      image: image.tag,
      env: { ...env, ENTRYPOINT: write },
      memory: '96m',
    });
    expect({ exit: first.exit, ...first.exitRecord }, first.stderr).toMatchObject({
      exit: 0,
      stateSaved: true,
    });
    const second = await runContainer({ image: image.tag, env, memory: '96m' });
    expect({ exit: second.exit, stdout: second.stdout }, second.stderr).toEqual({
      exit: 0,
      stdout: `${count + 1}\n`,
    });
  });

  test.each([{}, { user: '1000:1000' }])(
    'children of the bot, each smaller than the runtime, are killed before it (%o)',
    async (options) => {
      const env = await python(crowd);
      const { exit, exitRecord } = await runContainer({ image: image.tag, env, memory: '256m', ...options });
      expect({ exit, ...exitRecord }).toMatchObject({
        exit: 5,
        source: 'bot',
        code: 5,
        reason: expect.stringMatching(
          /^out of memory: \d+ processes were killed; the bot ended with code 5$/,
        ),
        stateSaved: true,
      });
      expect(await kept(env)).toBe('kept');
    },
  );

  test('a query program that takes it all is killed, and neither the bot nor the runtime', async () => {
    const port = await freePort();
    const env = await bots.deploy({
      kind: 'python3.11',
      entrypoint: 'main.py',
      files: { 'main.py': asking, 'query.py': greedyQuery },
      config: { port },
    });
    const realtime = { BOT_TYPE: 'realtime', QUERY_ENTRYPOINT: 'query.py', QUERY_PORT: String(port) };
    const { exit, stdout, exitRecord } = await runContainer({
      image: image.tag,
      env: { ...env, ...realtime },
      memory: '192m',
    });
    expect({ exit, stdout }).toMatchObject({ exit: 0, stdout: expect.stringContaining('ended half-way') });
    expect(exitRecord).toMatchObject({ stateSaved: true, reason: expect.stringContaining('out of memory') });
  });
});
