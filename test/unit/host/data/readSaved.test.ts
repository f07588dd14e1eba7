import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createFolders } from '../../../../src/host/data/folders.ts';
import { readSaved } from '../../../../src/host/data/readSaved.ts';
import { temporaryDirectory } from '../../../support/files/temporary.ts';

test.each([false, true])(
  'what a bot had written is saved where its end says so, or there is nothing (own disks: %s)',
  async (own) => {
    const folders = createFolders(await temporaryDirectory(), own);
    const { the0, state } = folders.bot('one');
    const exit = (text: string) => writeFileSync(join(the0, 'exit.json'), text);
    expect(readSaved(folders, 'one')).toBe(true);
    mkdirSync(state, { recursive: true });
    mkdirSync(the0, { recursive: true });
    expect(readSaved(folders, 'one')).toBe(true);
    writeFileSync(join(state, 'file'), 'x');
    expect(readSaved(folders, 'one')).toBe(false);
    for (const text of ['', '{"stateSaved":false}', '{"stateSaved":"true"}', 'null']) {
      exit(text);
      expect(readSaved(folders, 'one')).toBe(false);
    }
    exit('{"stateSaved":true}');
    expect(readSaved(folders, 'one')).toBe(true);

    // Where its disk is not mounted nobody can see.
    const other = folders.bot('two');
    if (own) mkdirSync(other.own, { recursive: true });
    if (own) writeFileSync(other.diskFile, '');
    expect(readSaved(folders, 'two')).toBe(!own);
  },
);
