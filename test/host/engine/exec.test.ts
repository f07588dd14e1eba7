import { Readable } from 'node:stream';
import { gunzipSync } from 'node:zlib';
import { extract } from 'tar-stream';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { copyIn, copyOut } from '../../../src/host/engine/copyFiles.ts';
import type { ExecProcess, ExecRequest } from '../../../src/host/engine/engine.ts';
import { collect } from '../../support/collect.ts';
import { baseImage } from '../../support/container/docker.ts';
import { tarGz } from '../../support/files/tarGz.ts';
import { failureOf } from '../../support/host/failureOf.ts';
import { signal, type TestDocker, testDocker } from '../../support/host/testDocker.ts';

const { tag: image, missing } = await baseImage();

describe.skipIf(missing)('programs inside a container', () => {
  let host: TestDocker;
  beforeAll(async () => {
    host = await testDocker({ image });
    await host.run('rts-box', 'sleep 600', { env: { OF_THE_BOX: 'yes' } });
  });
  afterAll(() => host?.[Symbol.asyncDispose]());

  const exec = (script: string, more: Partial<ExecRequest> = {}, until = signal()) =>
    host.engine.exec(
      'rts-box',
      { argv: ['/bin/sh', '-c', script], env: {}, cwd: undefined, user: undefined, stdin: false, ...more },
      until,
    );
  const processes = async (command: string) => {
    const each = "for file in /proc/[0-9]*/cmdline; do tr '\\0' ' ' <$file; echo; done 2>/dev/null";
    return (await host.inside('rts-box', `${each} | grep -c '^${command} $'`)).text.trim();
  };

  test('its streams apart, its environment, folder and user, and its exit code', async () => {
    const process = await exec('echo "$A $OF_THE_BOX $PWD $(id -u)"; echo complaint >&2; exit 3', {
      env: { A: 'a b' },
      cwd: '/tmp',
      user: { uid: 12_345, gid: 12_345 },
    });
    expect(await both(process)).toEqual({ stdout: 'a b yes /tmp 12345\n', stderr: 'complaint\n', exit: 3 });
    expect(await both(await exec('kill -9 $$'))).toMatchObject({ exit: 137 });
    for (const program of ['/no/such/program', 'no-such-program'])
      expect(await both(await exec('', { argv: [program] }))).toMatchObject({ exit: 127 });
    expect(await both(await exec('', { argv: ['/etc/passwd'] }))).toMatchObject({ exit: 126 });
  });

  test('a megabyte in and out, byte for byte, and the end of its stdin', async () => {
    const process = await exec('cat', { stdin: true });
    const sent = Buffer.from(Array.from({ length: 1024 * 1024 }, (_, index) => (index * 31) % 251));
    const received = collected(process);
    for (let at = 0; at < sent.length; at += 65_536) await process.write(sent.subarray(at, at + 65_536));
    process.end();
    expect((await received).equals(sent)).toBe(true);
    expect(await process.exit).toBe(0);
  });

  test('a terminal: its size, a new size, and ^C', async () => {
    const process = await exec(
      "stty size; trap 'stty size; exit 9' INT; echo ready; while :; do sleep 0.1; done",
      {
        tty: { columns: 101, rows: 33 },
        stdin: true,
      },
    );
    let text = '';
    let sized = false;
    for await (const { stream, bytes } of process.output) {
      expect(stream).toBe('stdout');
      text += Buffer.from(bytes);
      if (!sized && text.includes('ready')) {
        sized = true;
        await process.resize({ columns: 55, rows: 11 });
        await process.write(Buffer.from('\x03'));
      }
    }
    // The first size comes with the start or just after it.
    expect(text).toContain('11 55');
    expect(await process.exit).toBe(9);
  });

  test('a signal reaches it and what it has started', async () => {
    const process = await exec('sleep 301 & sleep 301; wait');
    const ended = both(process);
    await expect.poll(() => processes('sleep 301')).toBe('2');
    await process.kill('SIGTERM');
    expect(await ended).toMatchObject({ exit: 143 });
    await expect.poll(() => processes('sleep 301')).toBe('0');
  });

  test('whoever gives up ends it', async () => {
    const giveUp = new AbortController();
    const process = await exec('trap "" TERM; sleep 302 & wait; sleep 302', {}, giveUp.signal);
    const ended = both(process).catch(() => 'gave up');
    await expect.poll(() => processes('sleep 302')).toBe('1');
    giveUp.abort();
    expect(await ended).toBe('gave up');
    await expect.poll(() => processes('sleep 302')).toBe('0');
    expect(await failureOf(host.engine.exec('rts-none', request(), signal()))).toBe('not-found');
  });

  test('in a container that does not run there is no program', async () => {
    await host.engine.create(host.spec('rts-still', 'true'), signal());
    expect(await failureOf(host.engine.exec('rts-still', request(), signal()))).toBe('conflict');
    expect(await failureOf(host.engine.dial('rts-still', 80, signal()))).toBe('conflict');
    expect(await failureOf(host.engine.dial('rts-box', 81, signal()))).toBe('unavailable');
  });

  test('files go in and out', async () => {
    const tar = gunzipSync(await tarGz({ 'a/one.txt': 'one', 'two.txt': 'two' }));
    await copyIn(
      host.engine,
      'rts-box',
      { folder: '/tmp/in/side', user: undefined, tar: Readable.from([tar]) },
      signal(),
    );
    expect((await host.inside('rts-box', 'cd /tmp/in/side; cat a/one.txt two.txt')).text).toBe('onetwo');
    const out = extract();
    Readable.from(
      copyOut(host.engine, 'rts-box', { path: '/tmp/in/side/a', user: undefined }, signal()),
    ).pipe(out);
    const names: string[] = [];
    for await (const entry of out) {
      names.push(entry.header.name);
      entry.resume();
    }
    expect(names).toEqual(['a/', 'a/one.txt']);
    const into = (folder: string) =>
      copyIn(host.engine, 'rts-box', { folder, user: undefined, tar: Readable.from([tar]) }, signal());
    expect(await failureOf(into('/etc/x'))).toBe('refused');
    expect(await failureOf(into('relative'))).toBe('refused');
    expect(await failureOf(into('/tmp/../etc'))).toBe('refused');
    const missing = copyOut(host.engine, 'rts-box', { path: '/tmp/nothing', user: undefined }, signal());
    expect(await failureOf(collect(missing))).toBe('refused');
  });

  test('a bot that leaves a link in the way is written to nowhere but inside', async () => {
    await host.inside('rts-box', 'ln -s /proc/1/root/etc /tmp/way');
    const tar = gunzipSync(await tarGz({ 'planted-by-test': 'x' }));
    const call = copyIn(
      host.engine,
      'rts-box',
      { folder: '/tmp/way', user: undefined, tar: Readable.from([tar]) },
      signal(),
    );
    expect(await failureOf(call)).toBe('refused');
  });

  test('watching tells names, the old one of a rename too', async () => {
    const told: (string | undefined)[] = [];
    const over = new AbortController();
    const watch = await host.engine.watch((name) => void told.push(name), over.signal);
    await host.run('rt-watched', 'exit 0');
    await host.untilEnded('rt-watched');
    await host.engine.retire('rt-watched', 'rtd-watched', signal());
    await expect.poll(() => told).toContain('rtd-watched');
    expect(told.filter((name) => name === 'rt-watched').length).toBeGreaterThanOrEqual(3);
    expect(new Set(told)).toEqual(new Set(['rt-watched', 'rtd-watched']));
    over.abort();
    await watch.ended;
  });

  test('the log of one that runs is followed to its end', async () => {
    await host.run('rt-talks', 'for i in 1 2 3; do echo $i; sleep 0.2; done');
    let text = '';
    for await (const { bytes } of host.engine.logs('rt-talks', { tail: undefined, follow: true }, signal()))
      text += Buffer.from(bytes);
    expect(text).toBe('1\n2\n3\n');
    let last = '';
    for await (const { bytes } of host.engine.logs('rt-talks', { tail: 1, follow: false }, signal()))
      last += Buffer.from(bytes);
    expect(last).toBe('3\n');
  });
});

function request(): ExecRequest {
  return { argv: ['true'], env: {}, cwd: undefined, user: undefined, stdin: false };
}

async function both(process: ExecProcess): Promise<{ stdout: string; stderr: string; exit: number }> {
  const text = { stdout: '', stderr: '' };
  for await (const { stream, bytes } of process.output) text[stream] += Buffer.from(bytes);
  return { ...text, exit: await process.exit };
}

async function collected(process: ExecProcess): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const { bytes } of process.output) chunks.push(bytes);
  return Buffer.concat(chunks);
}
