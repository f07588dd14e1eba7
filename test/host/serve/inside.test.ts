import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, test, vi } from 'vitest';
import { collect } from '../../support/collect.ts';
import { universalImage } from '../../support/container/docker.ts';
import { parseEvents, SandboxClient } from '../../support/sandboxClient.ts';
import { realServe } from '../../support/serve/realServe.ts';

const image = await universalImage();

describe.skipIf(image.missing !== undefined)('the inside of a sandbox', { timeout: 300_000 }, () => {
  test('does what a strict client asks, by its token and by the key, and its streams outlive the server', async () => {
    await using serve = await realServe({ image: image.tag });
    await serve.start();
    const client = new SandboxClient(serve.url, serve.key);
    const sandbox = await (await client.create({ name: 'inside' })).waitFor('running');

    for (const inside of [await sandbox.sidecar(), sandbox.runtime()]) {
      expect(await inside.exec('pwd; echo err > /dev/stderr; exit 3')).toEqual({
        exitCode: 3,
        stdout: '/workspace\n',
        stderr: 'err\n',
      });
      const long = 'x'.repeat(500_000);
      expect((await inside.exec(`echo '${long}' | wc -c`)).stdout).toBe(`${long.length + 1}\n`);
      await expect(inside.exec('sleep 1000 & sleep 1000', { timeoutMs: 200 })).rejects.toMatchObject({
        status: 408,
        code: 'EXEC_TIMEOUT',
      });
      await inside.write('a/b c.txt', 'grüße');
      expect(await inside.read('/workspace/a/b c.txt')).toBe('grüße');
      expect((await inside.list('/workspace/a')).map(({ name }) => name)).toEqual(['b c.txt']);
      const bytes = Buffer.alloc(1_000_000, 'ab\r\n--');
      await inside.upload('/workspace/up.bin', bytes);
      expect((await inside.download('/workspace/up.bin')).equals(bytes)).toBe(true);
      await inside.uploadDir(
        '/workspace/copy',
        (await inside.downloadDir('/workspace/a')) as Buffer<ArrayBuffer>,
      );
      expect(await inside.read('copy/b c.txt')).toBe('grüße');
      await inside.remove('/workspace/copy', true);
      expect(await inside.exists('/workspace/copy')).toBe(false);
      const pid = await inside.spawn('echo one; sleep 0.2; echo two; exit 4');
      expect((await collect(inside.logs(pid))).map(({ data }) => data).join('')).toBe('one\ntwo\n');
      expect(await inside.wait(pid)).toBe(4);
      const { sessionId } = (await inside.json('POST', '/terminals', { cols: 90, rows: 20 })).data;
      await inside.json('POST', `/terminals/${sessionId}/input`, { data: 'stty size; echo "do""ne"\n' });
      let screen = '';
      for await (const { data } of parseEvents(await inside.fetch(`/terminals/${sessionId}/stream`))) {
        screen += data.properties.text;
        if (screen.includes('done')) break;
      }
      expect(screen).toContain('20 90');
      await inside.json('DELETE', `/terminals/${sessionId}`);
    }

    // A terminal as a browser has it: its token is a protocol, and the server in between knows no frames.
    const { sidecarUrl: at, authToken: token } = (await serve.info(sandbox.id)).connection!;
    const protocol = `bearer.${Buffer.from(token).toString('base64url')}`;
    const socket = new WebSocket(`${at.replace('http', 'ws')}/terminals/one/ws`, [protocol]);
    socket.binaryType = 'arraybuffer';
    let shown = '';
    socket.addEventListener('message', ({ data }) => {
      shown += typeof data === 'string' ? data : Buffer.from(data as ArrayBuffer).toString();
    });
    socket.addEventListener('open', () => {
      socket.send(JSON.stringify({ type: 'init', cols: 100, rows: 30 }));
      socket.send(JSON.stringify({ type: 'input', data: 'stty size; exit 5\n' }));
    });
    await vi.waitFor(() => expect(shown).toContain('"exitCode":5'), { timeout: 60_000, interval: 100 });
    expect(shown).toContain('30 100');

    // A port on the loopback, by the address that the server gives out.
    const inside = sandbox.runtime();
    const web = await inside.spawn('echo page > page; exec python3 -m http.server 8123 --bind 127.0.0.1');
    const { url } = await client.json('POST', `/v1/sidecars/${sandbox.id}/network/expose`, { port: 8123 });
    // For a browser: the link is all that it needs.
    const page = async () => await (await fetch(`${url}page`)).text();
    while ((await page()) !== 'page\n') await pause(100);
    await inside.kill(web);

    // One stream, cut again and again, once by the death of the server.
    const lines = 300;
    const pid = await inside.spawn(`for i in $(seq ${lines}); do echo $i; sleep 0.01; done`);
    let [text, last] = ['', ''];
    let isKilled = false;
    for (let isOver = false; !isOver; ) {
      const wasKilled = isKilled;
      const cut = new AbortController();
      try {
        const response = await inside.fetch(`/process/${pid}/logs`, {
          signal: cut.signal,
          headers: { 'last-event-id': last },
        });
        let came = 0;
        for await (const { type, data, id } of parseEvents(response)) {
          isOver = type === 'exit';
          if (isOver) break;
          text += data.data;
          last = id!;
          // By lines: a machine that stands still puts many of them into one event.
          if (!isKilled && text.split('\n').length > 50) {
            isKilled = true;
            await serve.kill();
          }
          if (++came === 10) break;
        }
      } catch {
        // Cut by the server's end.
      }
      cut.abort();
      if (isKilled && !wasKilled) {
        await serve.start();
        await sandbox.waitFor('running');
      }
    }
    expect(text).toBe(`${Array.from({ length: lines }, (_, index) => index + 1).join('\n')}\n`);
    expect(await inside.process(pid)).toMatchObject({ running: false, exitCode: 0 });
  });
});
