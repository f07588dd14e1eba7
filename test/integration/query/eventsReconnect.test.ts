import { spawn } from 'node:child_process';
import { expect, onTestFinished, test } from 'vitest';
import { findBrowser, openPage } from '../../support/query/browserPage.ts';
import { startTestServer, type TestServer } from '../../support/query/queryServer.ts';
import { type FaultProxy, startFaultProxy } from '../../support/store/faultProxy.ts';

const QUIET = `require('http').createServer((q, r) => r.end('{"status":"ok"}')).listen(process.env.THE0_QUERY_PORT)`;

function happen(server: TestServer, from: number, to: number): void {
  for (let n = from; n <= to; n += 1)
    server.events.append({ type: 'file.changed', at: new Date(0).toISOString(), data: { n } });
}

async function proxyTo(server: TestServer): Promise<FaultProxy> {
  const proxy = await startFaultProxy(server.port);
  onTestFinished(() => proxy.close());
  return proxy;
}

/** The next connection of a reader ends after so many bytes. */
function cutAfter(proxy: FaultProxy, bytes: number): void {
  proxy.inject({ when: ({ path }) => path === '/_runtime/events', fault: { cutResponseAfter: bytes } });
}

const upTo = (count: number) => Array.from({ length: count }, (_, at) => at + 1);

/** What curl prints until it is cut, or until it has printed `end`. */
async function curl(url: string, args: readonly string[], end: string): Promise<string> {
  const child = spawn('curl', ['--silent', '--no-buffer', ...args, url], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  for await (const piece of child.stdout.setEncoding('utf8')) {
    text += piece;
    if (text.includes(end)) child.kill();
  }
  return text;
}

test('curl, cut anywhere and asking again with the last id, misses nothing and gets nothing twice', async () => {
  await using server = await startTestServer({ program: QUIET });
  const proxy = await proxyTo(server);
  const seen: number[] = [];
  let lastId: string | undefined;
  for (let happened = 0; seen.at(-1) !== 40; happened += 2) {
    // Within the second event, or between the two: they have some 118 bytes each, and 18 come before them.
    if (happened < 40) {
      cutAfter(proxy, 136 + 14 * (happened % 8));
      happen(server, happened + 1, happened + 2);
    }
    const args = lastId === undefined ? [] : ['--header', `Last-Event-ID: ${lastId}`];
    const text = await curl(`${proxy.endpoint}/_runtime/events`, args, '"n":40}}\n\n');
    for (const [, id, n] of text.matchAll(/^id: (\d+)\nevent: \S+\ndata: .*"n":(\d+)}}\n\n/gm)) {
      lastId = id;
      seen.push(Number(n));
    }
    expect(text).not.toContain('event: missed');
  }
  expect(seen).toEqual(upTo(40));
  expect(proxy.requests.filter(({ fault }) => fault)).toHaveLength(20);
});

const browser = findBrowser();
if (browser.missing) console.warn(`The test with a browser is skipped: ${browser.missing}`);

test.skipIf(browser.missing !== undefined)(
  'a browser that is cut, also within an event, misses nothing and gets nothing twice',
  async () => {
    await using server = await startTestServer({ program: QUIET });
    const proxy = await proxyTo(server);
    happen(server, 1, 3);
    cutAfter(proxy, 360);
    cutAfter(proxy, 60);
    const script = `
      const source = new EventSource('/_runtime/events');
      source.addEventListener('file.changed', (event) => tell(JSON.parse(event.data).data.n));
      source.addEventListener('missed', () => tell('missed'));`;
    const page = await openPage(browser.file, script, proxy.port);
    await page.tells(1);
    happen(server, 4, 6);
    await page.tells(6);
    happen(server, 7, 9);
    await page.tells(9);
    expect(page.told.toSorted()).toEqual(upTo(9));
    const asked = proxy.requests.filter(({ path }) => path === '/_runtime/events');
    expect(asked.map(({ fault, headers }) => [fault !== undefined, 'last-event-id' in headers])).toEqual([
      [true, false],
      [true, true],
      [false, true],
    ]);
  },
);
