import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { createFolders, type Folders } from '../../../../src/host/data/folders.ts';
import { holdDisks } from '../../../../src/host/data/holdDisks.ts';
import { openRecords } from '../../../../src/host/loop/openRecords.ts';
import { canMountDisk } from '../../../support/container/mountDisk.ts';
import { unmountBelow } from '../../../support/files/unmountBelow.ts';
import { aSpec } from '../../../support/host/aSpec.ts';

const MiB = 2 ** 20;

let data: string;
let folders: Folders;
beforeEach(() => {
  data = mkdtempSync(join(tmpdir(), 'records-'));
  folders = createFolders(data);
});
afterEach(() => rmSync(data, { recursive: true, force: true }));

const open = () => openRecords(folders, () => 1);
const log = () => join(folders.records, 'log');
const failures = (n: number) => ({ version: 1, failures: n }) as const;

describe('records', () => {
  it('are there again after the host was killed', async () => {
    const { records } = open();
    await Promise.all(['a', 'b', 'c'].map((bot, i) => records.put(bot, failures(i))));
    await records.put('a', failures(7));
    await records.forget('c');
    for (let i = 0; i < 2; i++) {
      const again = open().records;
      expect([...again.bots()].sort()).toEqual(['a', 'b']);
      expect(again.get('a').failures).toBe(7);
    }
  });

  it('have a specification that is what runs and what is wanted once', async () => {
    const { records } = open();
    const spec = aSpec({ name: 'a', env: { MARK: 'mark' } });
    const recorded = { ...failures(0), current: { hash: 'h', spec }, good: { origin: 'a.yaml', spec } };
    await records.put('a', recorded);
    await records.put('b', { ...failures(0), good: { origin: 'b.yaml', spec } });
    expect(readFileSync(log(), 'utf8').split('MARK').length).toBe(3);
    const again = open().records;
    expect(again.get('a')).toEqual(JSON.parse(JSON.stringify(recorded)));
    expect(again.get('b').good?.spec.env).toEqual({ MARK: 'mark' });
  });

  it('leave out a line that was cut, and go on behind it', async () => {
    const { records } = open();
    await records.put('a', failures(1));
    appendFileSync(log(), 'a {"version":1,"fail');
    const second = open();
    expect(second.damaged.size).toBe(0);
    expect(second.records.get('a').failures).toBe(1);
    appendFileSync(log(), 'b {"vers');
    await second.records.put('a', failures(2));
    await second.records.put('b', failures(3));
    const third = open().records;
    expect([third.get('a').failures, third.get('b').failures]).toEqual([2, 3]);
  });

  it('tell one that cannot be read from none, and keep it', async () => {
    open();
    appendFileSync(log(), 'bad {"version":1,,}\nlater {"version":2}\ngood {"version":1,"failures":5}\n');
    const { records, damaged } = open();
    expect([...damaged.keys()].sort()).toEqual(['bad', 'later']);
    expect(records.get('good').failures).toBe(5);
    await records.put('good', failures(6));
    expect([...open().damaged.keys()].sort()).toEqual(['bad', 'later']);
    expect(readFileSync(log(), 'utf8')).toContain('bad {"version":1,,}');
  });

  it('do not grow without end', async () => {
    const { records } = open();
    const long = {
      ...failures(1),
      held: { hash: 'x'.repeat(1024 * 1024), reason: 'Completed', message: '' },
    } as const;
    for (let i = 0; i < 20; i++) await records.put('a', long);
    expect(statSync(log()).size).toBeLessThan(17 * 2 ** 20);
    expect(open().records.get('a').held?.hash.length).toBe(1024 * 1024);
  });

  it('move the folder of a bot that is forgotten to the trash', async () => {
    const { records } = open();
    mkdirSync(folders.bot('a').own);
    await records.put('a', failures(1));
    await records.forget('a');
    expect(readdirSync(folders.trash)).toEqual(['1-a']);
    await records.forget('never-known');
  });

  it.skipIf(!canMountDisk)(
    'leave nothing of a forgotten bot mounted, and of its disk what is used',
    async () => {
      onTestFinished(() => unmountBelow(data));
      folders = createFolders(data, true);
      const disks = holdDisks(folders, 'own');
      const { records } = openRecords(folders, () => 1, disks);
      await disks.hold('a', 64 * MiB, { uid: 65_534, gid: 65_534 });
      writeFileSync(join(folders.bot('a').state, 'kept'), 'kept');
      await records.put('a', failures(1));
      expect(statSync(folders.bot('a').diskFile).blocks * 512).toBeGreaterThanOrEqual(64 * MiB);
      await records.forget('a');
      const { size, blocks } = statSync(join(folders.trash, '1-a', 'disk.img'));
      expect([size, blocks * 512 < 16 * MiB]).toEqual([64 * MiB, true]);
      expect([disks.used('a'), readdirSync(folders.bots), [...open().records.bots()]]).toEqual([
        undefined,
        [],
        [],
      ]);
    },
  );
});
