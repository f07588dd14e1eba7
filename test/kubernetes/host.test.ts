import { setTimeout as pause } from 'node:timers/promises';
import { expect, vi } from 'vitest';
import type { KubeObject } from '../../src/host/kubernetes/objects.ts';
import { resource } from '../../src/host/kubernetes/resource.ts';
import { type KubeHost, kubeHost } from '../support/kubernetes/kubeHost.ts';
import { kubeTest, theCluster } from '../support/kubernetes/kubeTest.ts';
import { scaled } from '../support/scale.ts';

const signal = () => AbortSignal.timeout(60_000);
const soon = { timeout: 90_000, interval: 200 };

/** Counts its lives in its state, and answers with it. */
const counter = (name: string, more = '') => ({
  [`${name}/bot.yaml`]: `name: ${name}
type: realtime
runtime: python3.11
entrypoints: {bot: main.py, query: query.py}
stop: {timeout: 10s}
${more}`,
  [`${name}/main.py`]: `
import os, time
from pathlib import Path
file = Path(os.environ["STATE_DIR"], "lives")
file.parent.mkdir(parents=True, exist_ok=True)
lives = int(file.read_text()) if file.exists() else 0
file.write_text(str(lives + 1))
print("life", lives + 1, flush=True)
while True: time.sleep(1)
`,
  [`${name}/query.py`]: `
import json, os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        file = Path(os.environ["STATE_DIR"], "lives")
        data = {"lives": int(file.read_text()) if file.exists() else 0, "config": json.loads(os.environ["BOT_CONFIG"])}
        body = json.dumps({"status": "ok", "data": data}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *args): pass
ThreadingHTTPServer(("0.0.0.0", int(os.environ["THE0_QUERY_PORT"])), Handler).serve_forever()
`,
});

const lives = (host: KubeHost, bot: string, count: number, config: object = {}) =>
  vi.waitFor(
    async () =>
      expect(await host.ask(bot, '/lives')).toEqual({
        status: 200,
        body: { status: 'ok', data: { lives: count, config } },
      }),
    soon,
  );

/** What it says once it is as expected; the host may be away in between. */
async function until<T>(ask: () => Promise<T>, is: (answer: T) => boolean): Promise<T> {
  return await vi.waitFor(async () => {
    const answer = await ask();
    if (!is(answer)) throw new Error(`not yet: ${JSON.stringify(answer)}`);
    return answer;
  }, soon);
}

/** As `kubectl drain` does. */
async function evict({ space, pods }: KubeHost, name: string): Promise<void> {
  await space.client.call({
    op: 'pods.evict',
    subject: name,
    method: 'POST',
    path: `${pods.path}/${name}/eviction`,
    body: { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name, namespace: space.name } },
    signal: signal(),
  });
}

const uidOf = async (host: KubeHost, pod: string) => (await host.pods.get(pod, signal()))?.metadata.uid;

kubeTest(
  'a realtime bot runs, answers, goes on with its state in another pod, changes, and is disabled',
  async () => {
    await using host = await kubeHost();
    host.write(counter('keeper'));
    await host.start();
    await lives(host, 'keeper', 1);
    const first = await uidOf(host, 'rt-keeper');

    // Whoever deletes the pod gets another one, and nothing of it is lost.
    await host.pods.remove('rt-keeper', {}, signal());
    await lives(host, 'keeper', 2);
    expect(await uidOf(host, 'rt-keeper')).not.toBe(first);

    host.write(counter('keeper', 'config: {changed: true}'));
    await lives(host, 'keeper', 3, { changed: true });

    // The host's own death is nobody's: the next one finds what runs.
    const third = await uidOf(host, 'rt-keeper');
    await host.kill();
    await host.start();
    await vi.waitFor(async () => expect((await host.list())[0]).toMatchObject({ state: 'running' }), soon);
    await lives(host, 'keeper', 3, { changed: true });
    expect(await uidOf(host, 'rt-keeper')).toBe(third);

    await host.cli('disable', 'keeper');
    await vi.waitFor(async () => expect(await host.pods.get('rt-keeper', signal())).toBeUndefined(), soon);
    // Asked all the same: a pod for the queries alone, from the saved state.
    await lives(host, 'keeper', 3, { changed: true });
    const events = (await host.events()).filter(({ type }) => type === 'lost' || type === 'failed');
    expect(events).toEqual([]);
  },
);

kubeTest(
  'a time is run once, whatever becomes of the host in between, and its pod stays until that is written down',
  async () => {
    await using host = await kubeHost();
    host.write({
      'ledger/bot.yaml': `name: ledger
type: scheduled
runtime: command
entrypoints: {bot: 'mkdir -p "$STATE_DIR"; echo "$RUN_TIME" >> "$STATE_DIR/times"; cat "$STATE_DIR/times"; sleep 1'}
schedule: {cron: "*/6 * * * * *"}
`,
      'ledger/code': 'nothing',
    });
    await host.start();
    const runs = async () => {
      const events = (await host.events()).filter(({ bot }) => bot === 'ledger');
      const times = (type: string) =>
        events.filter((event) => event.type === type).map(({ facts }) => Number(facts.time));
      return { ended: times('ended'), lost: times('lost'), other: [...times('missed'), ...times('skipped')] };
    };
    for (let kills = 0; kills < scaled(2); kills += 1) {
      const before = (await until(runs, ({ ended }) => ended.length > kills)).ended.length;
      // At a moment that nobody has chosen.
      await pause(Math.random() * 6_000);
      await host.kill();
      await pause(Math.random() * 2_000);
      await host.start();
      await until(runs, ({ ended }) => ended.length > before);
    }
    await host.cli('disable', 'ledger');
    await vi.waitFor(async () => expect((await host.list())[0]).toMatchObject({ state: 'disabled' }), soon);
    const { ended, lost } = await runs();
    expect(lost).toEqual([]);
    // A host that is killed may tell an event twice; what has run is what the bot has written.
    const file = await host.stateFile('ledger', 'times');
    const ran = file
      .trim()
      .split('\n')
      .map((text) => Date.parse(text));
    expect(new Set(ran).size).toBe(ran.length);
    expect([...ran].sort()).toEqual([...new Set(ended)].sort());
  },
);

kubeTest(
  'a node is drained: the bot ends in order, and goes on where there is room; drain of the host stops all',
  async () => {
    await using host = await kubeHost();
    host.write(counter('mover'));
    await host.start();
    await lives(host, 'mover', 1);
    const { spec } = (await host.pods.get('rt-mover', signal()))!;
    const node = spec.nodeName ?? '';
    const nodes = resource<KubeObject>(host.space.client, {
      api: 'v1',
      plural: 'nodes',
      namespace: undefined,
    });
    const first = await uidOf(host, 'rt-mover');
    try {
      await nodes.patch(node, { spec: { unschedulable: true } }, signal());
      await evict(host, 'rt-mover');
      // The only node takes nothing now: a new one waits, and says for what.
      await vi.waitFor(async () => {
        const [{ conditions = [] } = {}] = await host.list();
        expect(await uidOf(host, 'rt-mover')).not.toBe(first);
        expect(conditions.find(({ type }) => type === 'Ready')?.message).toMatch(/unschedulable/);
      }, soon);
    } finally {
      await nodes.patch(node, { spec: { unschedulable: null } }, signal());
    }
    await lives(host, 'mover', 2);
    const events = await host.events();
    expect(events.filter(({ type }) => type === 'held' || type === 'failed')).toEqual([]);
    expect(events.find(({ type }) => type === 'ended')?.message).toMatch(/taken away: EvictionByEvictionAPI/);

    await host.cli('drain', '--wait');
    expect(await host.pods.get('rt-mover', signal())).toBeUndefined();
    await host.cli('resume');
    await lives(host, 'mover', 3);
  },
);

kubeTest('keys of the store are out of the bot’s container where sidecars have them', async () => {
  await using host = await kubeHost({ RUNTIME_HOST_POD_LAYOUT: 'sidecars' });
  host.write(counter('split'));
  await host.start();
  await lives(host, 'split', 1);
  const body = JSON.stringify((await host.pods.get('rt-split', signal()))!.spec);
  const { containers, initContainers } = JSON.parse(body) as Record<
    string,
    { name: string; env: { name: string }[] }[]
  >;
  const keysOf = ({ env }: { env: { name: string }[] }) =>
    env.filter(({ name }) => /^MINIO_/.test(name)).length;
  expect(containers?.map(({ name }) => name)).toEqual(['bot']);
  expect(initContainers?.map(({ name }) => name)).toEqual(['init', 'sync', 'query']);
  expect(keysOf(containers![0]!)).toBe(0);
  expect(keysOf(initContainers![1]!)).toBeGreaterThan(0);
  // Saved, and there again in another pod.
  await host.pods.remove('rt-split', {}, signal());
  await lives(host, 'split', 2);
});

kubeTest('another image comes in waves: each bot ends in order and begins again with it', async () => {
  const { image } = theCluster();
  await using host = await kubeHost({ RUNTIME_HOST_LOST_NODE: 'replace' });
  for (const name of ['w1', 'w2', 'w3']) host.write(counter(name));
  await host.start();
  for (const name of ['w1', 'w2', 'w3']) await lives(host, name, 1);
  await host.kill();
  // The same bytes by another name.
  const other = image.startsWith('docker.io/')
    ? image.replace('docker.io/library/', '')
    : `docker.io/library/${image}`;
  await host.start({ RUNTIME_IMAGE: other });
  for (const name of ['w1', 'w2', 'w3']) await lives(host, name, 2);
  const bodies = await Promise.all(['w1', 'w2', 'w3'].map((name) => host.pods.get(`rt-${name}`, signal())));
  for (const body of bodies) expect(JSON.stringify(body)).toContain(`"image":"${other}"`);
});
