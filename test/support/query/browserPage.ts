import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { onTestFinished } from 'vitest';
import { temporaryDirectory } from '../files/temporary.ts';

/** The browser, and why there is none here. */
export function findBrowser(): { readonly file: string; readonly missing: string | undefined } {
  const file = 'chromium';
  const { error, status } = spawnSync(file, ['--version'], { stdio: 'ignore' });
  const missing = status === 0 ? undefined : `no ${file} (${error?.message ?? `exit code ${status}`})`;
  return { file, missing };
}

export interface BrowserPage {
  /** What the page's script has told so far: `tell(value)` there. */
  readonly told: readonly unknown[];
  /** Resolves when it has told so many things. */
  tells(count: number): Promise<void>;
}

/**
 * Runs a script in a page of a real browser until the test has finished. Whatever the page asks for comes from
 * `upstreamPort`, by way of the page's own origin, as behind a reverse proxy.
 */
export async function openPage(file: string, script: string, upstreamPort: number): Promise<BrowserPage> {
  const told: unknown[] = [];
  let changed = () => {};
  const server = http.createServer(async (request, response) => {
    if (request.url === '/') {
      response.setHeader('content-type', 'text/html');
      const tell = `const tell = (value) => fetch('/told', { method: 'POST', body: JSON.stringify(value) });`;
      response.end(`<!doctype html><script>${tell}\n${script}</script>`);
    } else if (request.url === '/told') {
      told.push(await json(request));
      response.end();
      changed();
    } else forward(request, response, upstreamPort);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const dir = await temporaryDirectory();
  const profile = join(dir, 'profile');
  const flags = ['--headless=new', '--no-sandbox', '--disable-gpu', '--no-first-run'];
  const browser = spawn(
    file,
    [...flags, '--disable-background-networking', `--user-data-dir=${profile}`, `http://127.0.0.1:${port}/`],
    { stdio: 'ignore', detached: true, env: { ...process.env, TMPDIR: dir } },
  );
  onTestFinished(async () => {
    const ended = once(browser, 'exit');
    process.kill(-browser.pid!, 'SIGKILL');
    await ended;
    server.closeAllConnections();
    server.close();
  });
  return {
    told,
    tells: async (count) => {
      while (told.length < count) {
        await new Promise<void>((resolve) => {
          changed = resolve;
        });
      }
    },
  };
}

/** Cuts the page's connection where the other side cuts its own. */
function forward(request: http.IncomingMessage, response: http.ServerResponse, port: number): void {
  const { method, url: path, headers } = request;
  const upstream = http.request(
    { host: '127.0.0.1', port, method, path, headers, agent: false },
    (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      response.flushHeaders();
      answer.on('error', () => response.destroy());
      answer.pipe(response);
    },
  );
  upstream.on('error', () => response.destroy());
  response.on('close', () => upstream.destroy());
  upstream.end();
}
