import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { isObject, parseJson } from './parsers.ts';
import { readSmallFile } from './readSmallFile.ts';

interface Program {
  readonly runtime: string;
  /** Relative to the directory. */
  readonly entrypoint: string;
}

/** What a directory without `bot.yaml` most likely wants to run, as `runtime` where that is known. */
export function guessProgram(directory: string, runtime: string | undefined): Program | undefined {
  return candidates(directory).find(
    (program) =>
      (runtime === undefined || runtime === program.runtime) &&
      existsSync(join(directory, program.entrypoint)),
  );
}

function candidates(directory: string): readonly Program[] {
  const node = [mainOfPackage(directory), 'index.js', 'main.js', 'index.mjs', 'main.mjs'];
  return [
    { runtime: 'python3.11', entrypoint: 'main.py' },
    ...node
      .filter((entrypoint) => entrypoint !== undefined)
      .map((entrypoint) => ({ runtime: 'nodejs20', entrypoint })),
  ];
}

function mainOfPackage(directory: string): string | undefined {
  const file = join(directory, 'package.json');
  const content = existsSync(file) ? parseJson(readSmallFile(file, []) ?? '') : undefined;
  return isObject(content) && typeof content.main === 'string' ? content.main : undefined;
}
