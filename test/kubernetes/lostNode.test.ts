import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { expect, vi } from 'vitest';
import { signal, soon, uidOf } from '../support/kubernetes/counterBot.ts';
import { kubeHost } from '../support/kubernetes/kubeHost.ts';
import { kubeTest, theCluster } from '../support/kubernetes/kubeTest.ts';
import { playedNode, runAsContainer } from '../support/kubernetes/playedNode.ts';

/** Writes who it is, five times a second. */
const writer = (name: string) => ({
  [`${name}/bot.yaml`]: `name: ${name}
type: realtime
runtime: python3.11
entrypoints: {bot: main.py}
stop: {timeout: 2s}
`,
  [`${name}/main.py`]: `
import os, time, uuid
from pathlib import Path
file = Path(os.environ["STATE_DIR"], "who")
file.parent.mkdir(parents=True, exist_ok=True)
me = uuid.uuid4().hex[:8]
print("me", me, flush=True)
while True:
    with file.open("a") as out: out.write(me + "\\n")
    time.sleep(0.2)
`,
});

/** The cluster notices after 50 s, marks its pods 2 s later, waits for their time to end, and the host half a minute more. */
const LOST = { timeout: 300_000, interval: 500 };

kubeTest(
  'a node is lost and its process goes on: with `replace` two of one bot meet, and the store takes what the newer one writes alone',
  async () => {
    const { minio } = theCluster();
    // As the cluster has it after five minutes.
    const soonMarked = ['unreachable', 'not-ready'].map((taint) => ({
      key: `node.kubernetes.io/${taint}`,
      operator: 'Exists',
      effect: 'NoExecute',
      tolerationSeconds: 2,
    }));
    // One that waits is the control: it loses a pod on the same node.
    await using waits = await kubeHost();
    await using host = await kubeHost();
    const { client } = host.space;
    await using node = await playedNode(client);
    const { tolerations, affinity } = node.template;
    const replacing = { tolerations: [...tolerations, ...soonMarked], affinity };
    host.write(writer('meets'));
    waits.write(writer('stays'));
    await host.start({
      RUNTIME_HOST_LOST_NODE: 'replace',
      RUNTIME_HOST_POD_TEMPLATE: JSON.stringify(replacing),
    });
    await waits.start({ RUNTIME_HOST_POD_TEMPLATE: JSON.stringify(node.template) });

    const pod = await node.assigned(host.pods, 'rt-meets');
    const first = await runAsContainer(client, pod, minio);
    await first.prints('me ');
    await node.says(host.pods, pod);
    const stays = await node.assigned(waits.pods, 'rt-stays');
    await node.says(waits.pods, stays);
    const who = async () => (await host.stateFile('meets', 'who')).trim().split('\n');
    await vi.waitFor(async () => expect((await who()).length).toBeGreaterThan(3), soon);

    node.lose();
    const before = (await who()).length;
    await vi.waitFor(async () => {
      const now = await host.pods.get('rt-meets', signal());
      expect(now?.metadata.uid).not.toBe(pod.metadata.uid);
      expect(now?.status?.phase).toBe('Running');
    }, LOST);
    // Until here it went on, and saved: nobody had told it.
    expect((await who()).length).toBeGreaterThan(before);
    expect((await first.finished).code).toBe(75);
    expect(first.stderr()).toContain('taken over');
    const events = await host.events();
    expect(events.find(({ type }) => type === 'ended')?.message).toMatch(/its node is lost/);
    expect(await uidOf(waits, 'rt-stays')).toBe(stays.metadata.uid);
    expect((await waits.pods.get('rt-stays', signal()))?.metadata.deletionTimestamp).toBeUndefined();

    await vi.waitFor(async () => expect(new Set(await who()).size).toBe(2), soon);
    await host.cli('disable', 'meets');
    await vi.waitFor(async () => expect(await uidOf(host, 'rt-meets')).toBeUndefined(), soon);
    // In the store: what it had saved, and then the newer one's lines, and none of it among them.
    const [older, newer] = [...new Set(await who())];
    const saved = (await who()).filter((line) => line === older).length;
    expect((await who()).slice(saved).every((line) => line === newer)).toBe(true);
    expect(first.stdout()).toContain(`me ${older}`);
    // It had more, which is on its node alone.
    const path = readdirSync(first.root, { recursive: true }).find((one) => basename(String(one)) === 'who');
    expect(
      readFileSync(join(first.root, String(path)), 'utf8')
        .trim()
        .split('\n').length,
    ).toBeGreaterThan(saved);
  },
  600_000,
);
