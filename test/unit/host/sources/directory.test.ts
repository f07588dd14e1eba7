import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { systemClock } from '../../../../src/base/clock.ts';
import { pullCode } from '../../../../src/bot/code/pullCode.ts';
import { openDirectorySource } from '../../../../src/host/sources/directory.ts';
import { packFolder } from '../../../../src/host/sources/packFolder.ts';
import type { Listing } from '../../../../src/host/sources/source.ts';
import { openFileStore } from '../../../../src/store/file/file.ts';
import { machineTime } from '../../../support/process/machineTime.ts';

const bot = (name: string, more = '') => `
name: ${name}
type: realtime
runtime: python3.11
code: {file: ${name}/code.zip}
entrypoints: {bot: main.py}
${more}`;

let root: string;
let folder: string;
let stop: AbortController;
let running: Promise<void>;
let listings: Listing[];
let failures: unknown[];
let storeHangs: boolean;

function open() {
  const source = openDirectorySource({
    path: folder,
    clock: systemClock,
    code: async () => {
      if (storeHangs) return await new Promise<never>(() => undefined);
      return openFileStore(join(root, 'store'), 'custom-bots', { createBucket: true, clock: systemClock });
    },
  });
  running = source.run(
    { listed: (listing) => listings.push(listing), failed: (error) => failures.push(error) },
    stop.signal,
  );
  return source;
}

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'bots-'));
  folder = join(root, 'bots');
  mkdirSync(folder);
  stop = new AbortController();
  [listings, failures, storeHangs] = [[], [], false];
});

afterEach(async () => {
  stop.abort();
  await running;
  rmSync(root, { recursive: true, force: true });
});

const until = (check: () => void) => vi.waitFor(check, { timeout: 10_000, interval: 20 });
const last = () => listings.at(-1)!;
const names = () => [...(listings.at(-1)?.keys() ?? [])].sort();

/** A file of that many bytes that takes no room. */
function truncate(path: string, bytes: number): void {
  writeFileSync(path, '');
  truncateSync(path, bytes);
}

describe('a folder of bots', () => {
  it('is no file', async () => {
    const path = join(root, 'bot.yaml');
    writeFileSync(path, '');
    const code = async () => await new Promise<never>(() => undefined);
    const source = openDirectorySource({ path, clock: systemClock, code });
    const none = { listed: () => undefined, failed: () => undefined };
    await expect(source.run(none, stop.signal)).rejects.toMatchObject({
      code: 'config',
      hint: 'It is a file: name the folder that it is in.',
    });
  });

  it('is listed, and each change is seen within a second', async () => {
    writeFileSync(join(folder, 'a.yaml'), bot('a'));
    writeFileSync(join(folder, 'b.json'), JSON.stringify({ ...JSON.parse('{}'), name: 'b' }));
    open();
    await until(() => expect(names()).toEqual(['a', 'b']));
    expect(last().get('b')).toHaveProperty('problems');
    // The next look without a hint comes after five seconds.
    const time = machineTime();
    writeFileSync(join(folder, 'c.yaml'), bot('c'));
    await until(() => expect(names()).toEqual(['a', 'b', 'c']));
    rmSync(join(folder, 'a.yaml'));
    await until(() => expect(names()).toEqual(['b', 'c']));
    expect(time.ms()).toBeLessThan(4_000);
    time.stop();
  });

  it('keeps the bot of a file that is half written, with what is wrong', async () => {
    writeFileSync(join(folder, 'file.yaml'), bot('a'));
    open();
    await until(() => expect(last().get('a')).toHaveProperty('spec'));
    writeFileSync(join(folder, 'file.yaml'), bot('a').slice(0, 40));
    await until(() => expect(last().get('a')).toHaveProperty('problems'));
    writeFileSync(join(folder, 'file.yaml'), '');
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(names()).toEqual(['a']);
  });

  it('does not miss a bot whose file an editor takes away and puts back', async () => {
    writeFileSync(join(folder, 'a.yaml'), bot('a'));
    open();
    await until(() => expect(names()).toEqual(['a']));
    const seen = listings.length;
    renameSync(join(folder, 'a.yaml'), join(folder, '.a.yaml~'));
    await new Promise((resolve) => setTimeout(resolve, 150));
    writeFileSync(join(folder, 'a.yaml'), bot('a', 'labels: {new: "1"}'));
    await until(() => expect(JSON.stringify([...last()])).toContain('new'));
    for (const listing of listings.slice(seen)) expect([...listing.keys()]).toEqual(['a']);
  });

  it('gives the same object for what has not changed', async () => {
    writeFileSync(join(folder, 'a.yaml'), bot('a'));
    open();
    await until(() => expect(names()).toEqual(['a']));
    const before = last().get('a');
    writeFileSync(join(folder, 'b.yaml'), bot('b'));
    await until(() => expect(names()).toEqual(['a', 'b']));
    expect(last().get('a')).toBe(before);
  });

  it('packs the code of a folder with a bot.yaml, and packs it anew when it changes', async () => {
    mkdirSync(join(folder, 'own'));
    writeFileSync(
      join(folder, 'own/bot.yaml'),
      'name: own\ntype: realtime\nruntime: python3.11\nentrypoints: {bot: main.py}\n',
    );
    writeFileSync(join(folder, 'own/main.py'), 'print(1)\n');
    writeFileSync(join(folder, 'own/config.json'), '{"a": 1}');
    open();
    const code = () => {
      const entry = last()?.get('own');
      return entry !== undefined && 'spec' in entry ? entry.spec : undefined;
    };
    await until(() => expect(code()?.code.sha256).toMatch(/^[0-9a-f]{64}$/));
    const { code: first, config } = code()!;
    expect(config).toBe('{"a": 1}');
    const store = await openFileStore(join(root, 'store'), 'custom-bots', {
      createBucket: true,
      clock: systemClock,
    });
    await store.head(first.file);
    writeFileSync(join(folder, 'own/main.py'), 'print(2)\n');
    await until(() => expect(code()?.code.sha256).not.toBe(first.sha256));
  });

  it('packs no bot.yaml: what else it says is no other code', async () => {
    const own = join(folder, 'mine');
    mkdirSync(own);
    const file = (more: string) =>
      writeFileSync(
        join(own, 'bot.yaml'),
        `name: mine\ntype: realtime\nruntime: python3.11\nentrypoints: {bot: main.py}\n${more}`,
      );
    writeFileSync(join(own, 'main.py'), 'print(1)\n');
    file('');
    open();
    const sha256 = () => {
      const entry = last().get('mine');
      return entry !== undefined && 'spec' in entry ? entry.spec.code.sha256 : undefined;
    };
    await until(() => expect(sha256()).toMatch(/^[0-9a-f]{64}$/));
    const first = sha256();
    file('labels: {team: alpha}\n');
    await until(() => expect(last().get('mine')).toMatchObject({ spec: { labels: { team: 'alpha' } } }));
    expect(sha256()).toBe(first);
    // Negative control: a file of the same name further down is code.
    mkdirSync(join(own, 'deeper'));
    writeFileSync(join(own, 'deeper', 'bot.yaml'), 'mine: too');
    await until(() => expect(sha256()).not.toBe(first));
  });

  it('packs a folder that holds nothing but a bot.yaml as an archive that can be unpacked', async () => {
    const [from, into] = [join(root, 'from'), join(root, 'into')];
    mkdirSync(from);
    writeFileSync(join(from, 'bot.yaml'), 'name: mine');
    const { bytes, sha256 } = await packFolder(from, 'bot.yaml');
    const store = await openFileStore(join(root, 'store'), 'b', { createBucket: true, clock: systemClock });
    await store.put('code', bytes);
    const limits = { maxBytes: 1_000_000, inMemoryBytes: 1_000_000, warn: () => undefined };
    const signal = AbortSignal.timeout(60_000);
    await pullCode({ store, key: 'code', sha256, into, signal, ...limits });
    expect(readdirSync(into)).toContain('.empty');
    writeFileSync(join(from, 'main.py'), '');
    expect((await packFolder(from, 'bot.yaml')).sha256).not.toBe(sha256);
  });

  it('says that it cannot be listed, instead of being empty', async () => {
    writeFileSync(join(folder, 'a.yaml'), bot('a'));
    open();
    await until(() => expect(names()).toEqual(['a']));
    renameSync(folder, `${folder}.away`);
    await until(() => expect(failures.length).toBeGreaterThan(0));
    expect(names()).toEqual(['a']);
    renameSync(`${folder}.away`, folder);
  });

  it.each<[string, (path: string) => void]>([
    ['a link to itself', (path) => symlinkSync('odd.yaml', path)],
    ['longer than memory', (path) => truncate(path, 3 * 2 ** 30)],
    ['longer than a text can be', (path) => truncate(path, 600 * 2 ** 20)],
  ])('says of a file that cannot be read what is wrong, and lists the others: %s', async (_, make) => {
    writeFileSync(join(folder, 'a.yaml'), bot('a'));
    make(join(folder, 'odd.yaml'));
    open();
    await until(() => expect(last().get('odd')).toHaveProperty('problems'));
    expect(last().get('a')).toHaveProperty('spec');
    // Seen beside it, too.
    writeFileSync(join(folder, 'b.yaml'), bot('b'));
    await until(() => expect(names()).toEqual(['a', 'b', 'odd']));
    expect(failures).toEqual([]);
  });

  it('packs code that holds a link to itself, and to nothing: links are links', async () => {
    writeFileSync(join(folder, 'a.yaml'), bot('a'));
    mkdirSync(join(folder, 'odd'));
    writeFileSync(join(folder, 'odd/bot.yaml'), bot('odd').replace(/code:.*/, ''));
    symlinkSync('again', join(folder, 'odd/again'));
    symlinkSync('../nowhere', join(folder, 'odd/away'));
    open();
    await until(() => expect(last().get('odd')).toHaveProperty('spec.code.sha256'));
    expect(failures).toEqual([]);
  });

  it('refuses two files that are the same bot', async () => {
    writeFileSync(join(folder, 'a.yaml'), bot('a'));
    writeFileSync(join(folder, 'b.yaml'), bot('a'));
    open();
    await until(() => expect(last().get('a')).toHaveProperty('problems'));
  });

  it('is written to: comments stay', async () => {
    const source = open();
    await until(() => expect(listings.length).toBeGreaterThan(0));
    expect(await source.writer!.apply(`# mine\n${bot('a')}`)).toBe('a');
    await until(() => expect(names()).toEqual(['a']));
    await source.writer!.enable('a', false);
    await until(() => expect(last().get('a')).toMatchObject({ spec: { enabled: false } }));
    const { readFileSync } = await import('node:fs');
    expect(readFileSync(join(folder, 'a.yaml'), 'utf8')).toContain('# mine');
    await source.writer!.remove('a');
    await until(() => expect(names()).toEqual([]));
    const codeless = bot('a').replace(/code:.*/, '');
    await expect(source.writer!.apply(codeless)).rejects.toMatchObject({ problems: ['code: missing'] });
    await expect(source.writer!.apply('name: x')).rejects.toMatchObject({ code: 'config' });
    // As the file will lie in the folder, wherever it lies now.
    const elsewhere = bot('b').replace(/code:.*/, 'code: {path: ./mine}');
    await expect(source.writer!.apply(elsewhere)).rejects.toMatchObject({
      problems: [expect.stringContaining(join(folder, 'mine'))],
    });
    mkdirSync(join(folder, 'mine'));
    expect(await source.writer!.apply(elsewhere)).toBe('b');
    await expect(source.writer!.enable('none', true)).rejects.toMatchObject({ code: 'not-found' });
  });

  it('packs the folder of code.path anew when what lies in it changes', async () => {
    const code = join(root, 'shared');
    mkdirSync(code);
    writeFileSync(join(code, 'main.py'), '1');
    writeFileSync(join(folder, 'a.yaml'), bot('a').replace(/code:.*/, 'code: { path: ../shared }'));
    open();
    const sha256 = () => (last()?.get('a') as { spec?: { code: { sha256: string } } })?.spec?.code.sha256;
    await until(() => expect(sha256()).toMatch(/^[0-9a-f]{64}$/));
    const first = sha256();
    writeFileSync(join(code, 'main.py'), '22');
    // Not below the folder of bots: nothing tells, and it is seen by the next looks.
    await vi.waitFor(() => expect(sha256()).not.toBe(first), { timeout: 15_000, interval: 50 });
    rmSync(code, { recursive: true });
    await vi.waitFor(() => expect(last().get('a')).toHaveProperty('problems'), {
      timeout: 15_000,
      interval: 50,
    });
    expect(failures).toEqual([]);
  }, 40_000);

  it('holds up no bot because the store takes the code of another one not, and turns that one off all the same', async () => {
    const own = join(folder, 'own', 'bot.yaml');
    mkdirSync(join(folder, 'own'));
    writeFileSync(own, bot('own').replace(/code:.*/, ''));
    writeFileSync(join(folder, 'other.yaml'), bot('other'));
    open();
    await until(() => expect(names()).toEqual(['other', 'own']));
    expect(last().get('own')).toHaveProperty('spec.code.sha256');
    const code = last().get('own');
    storeHangs = true;
    writeFileSync(own, bot('own', 'enabled: false').replace(/code:.*/, ''));
    writeFileSync(join(folder, 'third.yaml'), bot('third'));
    await until(() => expect(names()).toEqual(['other', 'own', 'third']));
    expect(last().get('own')).toMatchObject({ spec: { ...(code as { spec: object }).spec, enabled: false } });
    expect(failures).toEqual([]);
  });
});
