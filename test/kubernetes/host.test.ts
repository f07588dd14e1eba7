import { expect, vi } from 'vitest';
import { type KubeHost, kubeHost } from '../support/kubernetes/kubeHost.ts';
import { kubeTest } from '../support/kubernetes/kubeTest.ts';

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
