import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createFolders, type Folders } from '../../../../src/host/data/folders.ts';
import { readStopped } from '../../../../src/host/data/readStopped.ts';

describe('what an instance has left about its end', () => {
  let data: string;
  let folders: Folders;
  let file: string;
  beforeEach(() => {
    data = mkdtempSync(join(tmpdir(), 'stopped-'));
    folders = createFolders(data);
    mkdirSync(folders.bot('b').the0, { recursive: true });
    file = join(folders.bot('b').the0, 'exit.json');
  });
  afterEach(() => rmSync(data, { recursive: true, force: true }));

  it('says that it was stopped, or nothing', () => {
    expect(readStopped(folders, 'b')).toBe(false);
    writeFileSync(file, '{"exit":0,"stopped":true}');
    expect(readStopped(folders, 'b')).toBe(true);
    for (const text of ['{"exit":0,"stopped":false}', '{"exit":0}', '[', '']) {
      writeFileSync(file, text);
      expect(readStopped(folders, 'b')).toBe(false);
    }
  });

  it('is read through no link, from no pipe, and not when it is huge', () => {
    const elsewhere = join(data, 'elsewhere.json');
    writeFileSync(elsewhere, '{"stopped":true}');
    symlinkSync(elsewhere, file);
    expect(readStopped(folders, 'b')).toBe(false);
    rmSync(file);
    execFileSync('mkfifo', [file]);
    expect(readStopped(folders, 'b')).toBe(false);
    rmSync(file);
    writeFileSync(file, `{"stopped":true,"more":"${'x'.repeat(100_000)}"}`);
    expect(readStopped(folders, 'b')).toBe(false);
  });
});
