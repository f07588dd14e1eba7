import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createFolders, type Folders } from '../../../../src/host/data/folders.ts';
import type { KeptWave } from '../../../../src/host/loop/waves.ts';
import { openWavesFile } from '../../../../src/host/loop/wavesFile.ts';
import { aSpec } from '../../../support/host/aSpec.ts';
import { startModelLoop } from '../../../support/host/modelLoop.ts';

const wave = (group: string): KeptWave => ({ group, size: 1, held: true, through: [['a', 'h', false]] });

describe('the file of waves', () => {
  let data: string;
  let folders: Folders;
  beforeEach(() => {
    data = mkdtempSync(join(tmpdir(), 'waves-'));
    folders = createFolders(data);
    mkdirSync(folders.records);
  });
  afterEach(() => rmSync(data, { recursive: true, force: true }));

  it('has what was last changed, however many change it at once', async () => {
    const file = openWavesFile(folders);
    await Promise.all(
      ['a', 'b', 'c'].map((group) => {
        file.changed(() => [wave(group)]);
        return file.written();
      }),
    );
    expect(openWavesFile(folders).kept).toEqual([wave('c')]);
  });

  it('says so when it cannot be written, and writes it later', async () => {
    const file = openWavesFile(folders);
    rmSync(folders.records, { recursive: true });
    file.changed(() => [wave('a')]);
    await expect(file.written()).rejects.toMatchObject({ code: 'unsaved' });
    mkdirSync(folders.records);
    await file.written();
    expect(openWavesFile(folders).kept).toEqual([wave('a')]);
  });

  it('is no wave when it is damaged', () => {
    writeFileSync(join(folders.records, 'waves.json'), '{"version":1,"waves":');
    expect(openWavesFile(folders).kept).toEqual([]);
  });

  it('keeps a host that is started again, and again, from replacing one more each time', async () => {
    const bots = ['a', 'b', 'c', 'd'];
    // It is not ready before the test is over.
    const readyAfterMs = 600_000;
    let host = startModelLoop({ waves: openWavesFile(folders), readyAfterMs });
    const { model, kept } = host;
    host.list(...bots.map((name) => aSpec({ name })));
    await vi.waitFor(() => expect(model.lives.length).toBe(4), { timeout: 15_000, interval: 20 });
    for (let life = 0; life < 3; life++) {
      host.list(...bots.map((name) => aSpec({ name, env: { NEW: '1' } })));
      await vi.waitFor(() => expect(model.signals.length).toBe(1), { timeout: 15_000, interval: 20 });
      // The next one would be asked to end in this time.
      await new Promise((resolve) => setTimeout(resolve, 300));
      expect(model.signals.length).toBe(1);
      await host.stop();
      for (const { name, asked } of [...model.instances.values()]) if (asked) model.end(name, 143);
      host = startModelLoop({ model, kept, readyAfterMs, waves: openWavesFile(folders) });
    }
    await host.stop();
  });
});
