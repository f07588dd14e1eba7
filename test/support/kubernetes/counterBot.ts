import { expect, vi } from 'vitest';
import type { KubeHost } from './kubeHost.ts';

export const signal = () => AbortSignal.timeout(60_000);
/** For `vi.waitFor`: a pod takes seconds, on a busy machine many. */
export const soon = { timeout: 90_000, interval: 250 };

/** A program of a bot: the file `lives` of its state has how often it was started. */
export const countsLives = `import os, time
from pathlib import Path
file = Path(os.environ["STATE_DIR"], "lives")
file.parent.mkdir(parents=True, exist_ok=True)
lives = int(file.read_text()) if file.exists() else 0
file.write_text(str(lives + 1))
print("life", lives + 1, flush=True)
while True: time.sleep(1)
`;

/** Counts its lives in its state, and answers with it. */
export const counter = (name: string, more = '') => ({
  [`${name}/bot.yaml`]: `name: ${name}
type: realtime
runtime: python3.11
entrypoints: {bot: main.py, query: query.py}
stop: {timeout: 10s}
${more}`,
  [`${name}/main.py`]: countsLives,
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

export const lives = (host: KubeHost, bot: string, count: number, config: object = {}) =>
  vi.waitFor(
    async () =>
      expect(await host.ask(bot, '/lives')).toEqual({
        status: 200,
        body: { status: 'ok', data: { lives: count, config } },
      }),
    soon,
  );

/** What it says once it is as expected; the host may be away in between. */
export async function until<T>(ask: () => Promise<T>, is: (answer: T) => boolean): Promise<T> {
  return await vi.waitFor(async () => {
    const answer = await ask();
    if (!is(answer)) throw new Error(`not yet: ${JSON.stringify(answer)}`);
    return answer;
  }, soon);
}

export const uidOf = async (host: KubeHost, pod: string) =>
  (await host.pods.get(pod, signal()))?.metadata.uid;
