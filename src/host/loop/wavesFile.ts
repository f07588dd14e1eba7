import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { RuntimeError } from '../../base/errors.ts';
import { isObject, parseJson } from '../../bot/config/parsers.ts';
import type { Folders } from '../data/folders.ts';
import { replaceDurably } from './replaceDurably.ts';
import type { KeptWave } from './waves.ts';

/** Where waves outlive the host. */
export interface WavesFile {
  readonly kept: readonly KeptWave[];
  /** Writes what `read` says then, soon. */
  changed(read: () => readonly KeptWave[]): void;
  /** Resolves when everything that was changed before is on the disk. Throws `unsaved`. */
  written(): Promise<void>;
}

/** One small file, replaced whole. */
export function openWavesFile(folders: Folders): WavesFile {
  const path = join(folders.records, 'waves.json');
  const text = existsSync(path) ? readFileSync(path, 'utf8') : '';
  return keepWaves(text, (changed) => replaceDurably(path, changed));
}

/**
 * `text`: as it was last written. What many bots change in the same moment is written once. What cannot be read is no wave: a change
 * then begins with its first one again.
 */
export function keepWaves(text: string, replace: (text: string) => Promise<void>): WavesFile {
  let read: (() => readonly KeptWave[]) | undefined;
  let writing: Promise<void> | undefined;

  async function write(): Promise<void> {
    // After this turn: all who change something in it are in the same file.
    await Promise.resolve();
    while (read !== undefined) {
      const waves = read();
      read = undefined;
      try {
        await replace(`${JSON.stringify({ version: 1, waves })}\n`);
      } catch (error) {
        read ??= () => waves;
        throw new RuntimeError('unsaved', `the waves cannot be written: ${(error as Error).message}`, {
          op: 'host.waves',
          retryable: true,
          hint: 'Is the disk of the data folder full?',
          cause: error,
        });
      }
    }
  }

  return {
    kept: keptIn(text),
    changed: (now) => {
      read = now;
    },
    written: async () => {
      if (read === undefined && writing === undefined) return;
      writing ??= write().finally(() => {
        writing = undefined;
      });
      await writing;
    },
  };
}

function keptIn(text: string): readonly KeptWave[] {
  const value = parseJson(text);
  return isObject(value) && value.version === 1 && Array.isArray(value.waves) ? value.waves : [];
}
