import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, describe, expect, inject, test } from 'vitest';
import { runContainer, startContainer } from '../support/container.ts';
import { containerBots } from '../support/containerBots.ts';
import { universalImage } from '../support/docker.ts';
import { freePort } from '../support/freePort.ts';
import { hardened } from '../support/hardened.ts';
import { vendoredSdk } from '../support/the0Sdk.ts';

const image = await universalImage();

describe.skipIf(image.missing !== undefined)('queries in containers', { timeout: 60_000 }, () => {
  let bots: Awaited<ReturnType<typeof containerBots>>;
  beforeAll(async () => {
    bots = await containerBots(inject('minio'));
  });

  async function deploy() {
    const files = { 'main.py': bot, 'query.py': queries, ...(await vendoredSdk()) };
    const env = await bots.deploy({ kind: 'python3.11', entrypoint: 'main.py', files });
    return { ...env, QUERY_ENTRYPOINT: 'query.py' };
  }

  test.each([
    { how: 'as root', options: {} },
    { how: 'as an ordinary user, hardened', options: hardened },
  ])('a running bot’s query sees its state and cannot change it ($how)', async ({ options }) => {
    const port = await freePort();
    const env = { ...(await deploy()), BOT_TYPE: 'realtime', QUERY_PORT: String(port) };
    await using container = await startContainer({ image: image.tag, env, ...options });
    await container.waitForOutput('running');
    await untilReady(port);
    expect(await ask(port, '/price')).toEqual({ status: 'ok', data: 42 });
    expect(await ask(port, '/vandalise')).toEqual({ status: 'ok', data: [] });
    expect(await ask(port, '/price')).toEqual({ status: 'ok', data: 42 });
    await container.stop(30);
    expect((await container.ended()).exit).toBe(143);
  });

  test('a sleeping bot’s query answers from what was saved, in one line as the program wrote it', async () => {
    const env = await deploy();
    await runContainer({ image: image.tag, env: { ...env, BOT_CONFIG: '{"once":true}' } });
    const asked = await runContainer({ image: image.tag, env: { ...env, QUERY_PATH: '/price' } });
    expect(asked).toMatchObject({ exit: 0, stdout: '{"status": "ok", "data": 42}\n' });
  });
});

async function ask(port: number, path: string): Promise<unknown> {
  return await (await fetch(`http://127.0.0.1:${port}${path}`)).json();
}

async function untilReady(port: number): Promise<void> {
  for (;;) {
    const ready = await fetch(`http://127.0.0.1:${port}/_runtime/readyz`).catch(() => undefined);
    if (ready?.ok) return;
    await sleep(50);
  }
}

const bot = `
import time
from the0 import state

def main(config):
    state.set('price', 42)
    print('running', flush=True)
    while not config.get('once'):
        time.sleep(0.1)
`;

/** What it manages to do to the state, by name. */
const queries = `
import os, shutil
from the0 import query, state

def write(path):
    with open(path, 'w') as file:
        file.write('7')

@query.handler('/price')
def price(req):
    return state.get('price')

@query.handler('/vandalise')
def vandalise(req):
    path = os.path.join(os.environ['STATE_DIR'], 'price.json')
    done = []
    for name, act in {
        'write': lambda: write(path),
        'create': lambda: write('/state/new'),
        'truncate': lambda: os.truncate(path, 0),
        'rename': lambda: os.rename(path, path + '.old'),
        'chmod': lambda: os.chmod(path, 0o600),
        'utime': lambda: os.utime(path, (0, 0)),
        'delete': lambda: os.remove(path),
        'remove': lambda: shutil.rmtree('/state/.the0-state'),
    }.items():
        try:
            act()
            done.append(name)
        except OSError:
            pass
    return done

query.run()
`;
