import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { asRuntimeError, isRuntimeError } from '../../base/errors.ts';
import { isObject, parseJson } from '../../bot/config/parsers.ts';
import type { ObjectStore } from '../../store/objectStore.ts';
import type { BotSpec, CodeRef } from '../bots/botSpec.ts';
import { type Draft, MAX_SPEC_BYTES, readSpec } from '../bots/readSpec.ts';
import { LONGEST_VARIABLE } from '../bots/variableProblems.ts';
import { packFolder } from './packFolder.ts';
import type { Entry } from './source.ts';

/** … and the folder that its code is packed from, where it names one. */
export type BotFileRead = Entry & { readonly codeFolder?: string };

/** A file on this machine that says what a bot is. */
export interface BotFileOnDisk {
  readonly path: string;
  /** The folder of its code and `config.json`, where the file is a bot's own `bot.yaml`. */
  readonly ownFolder: string | undefined;
}

/**
 * Reads a bot's file and what lies beside it; code in a folder is packed and brought to the code bucket. What is wrong is in
 * the entry; only a store that does not answer is thrown.
 */
export async function readBotFile(
  file: BotFileOnDisk,
  now: number,
  store: () => Promise<ObjectStore>,
): Promise<BotFileRead> {
  const origin = file.path;
  // Not even read: one that is longer than memory would take the host with it.
  if (statSync(file.path).size > MAX_SPEC_BYTES)
    return { problems: [`longer than ${MAX_SPEC_BYTES} bytes`], origin };
  const read = readSpec(readFileSync(file.path, 'utf8'), now);
  if ('problems' in read) return { problems: read.problems, origin };
  const code = codeOf(read, file);
  if (code === undefined) return { problems: ['code: missing'], origin };
  const codeFolder = 'path' in code && code.path !== file.ownFolder ? { codeFolder: code.path } : {};
  const problems: string[] = [];
  const config = read.hasConfig ? read.rest.config : configBeside(file, problems);
  if (problems.length > 0) return { problems, origin, ...codeFolder };
  if ('file' in code) return { spec: spec(read, code, config), origin };
  try {
    const uploadedCode = await uploaded(read.rest.name, code.path, file, store);
    return { spec: spec(read, uploadedCode, config), origin, ...codeFolder };
  } catch (error) {
    if (isRuntimeError(error, 'unavailable')) throw error;
    return { problems: [`code.path: ${asRuntimeError(error).message}`], origin, ...codeFolder };
  }
}

const spec = ({ rest }: Draft, code: CodeRef, config: string): BotSpec => ({ ...rest, code, config });

function codeOf(
  draft: Draft,
  { path, ownFolder }: BotFileOnDisk,
): CodeRef | { readonly path: string } | undefined {
  if (draft.code === undefined) return ownFolder === undefined ? undefined : { path: ownFolder };
  return 'path' in draft.code ? { path: resolve(dirname(path), draft.code.path) } : draft.code;
}

function configBeside({ ownFolder }: BotFileOnDisk, problems: string[]): string {
  const path = ownFolder === undefined ? undefined : join(ownFolder, 'config.json');
  if (path === undefined || !existsSync(path)) return '{}';
  const text = statSync(path).size > LONGEST_VARIABLE ? '' : readFileSync(path, 'utf8');
  if (isObject(parseJson(text))) return text;
  problems.push(`config.json: expected a JSON object of at most ${LONGEST_VARIABLE} bytes`);
  return '{}';
}

async function uploaded(
  bot: string,
  folder: string,
  { path }: BotFileOnDisk,
  open: () => Promise<ObjectStore>,
): Promise<CodeRef> {
  // Not the bot's own file: what of it makes the container is in the specification, and the rest is no reason for a restart.
  const { bytes, sha256 } = await packFolder(folder, relative(folder, path));
  const file = `${bot}/${sha256}.tar`;
  const store = await open();
  const there = await store.head(file).catch((error: unknown) => {
    if (isRuntimeError(error, 'not-found')) return undefined;
    throw error;
  });
  if (there === undefined) await store.put(file, bytes, { sha256 });
  return { file, sha256 };
}
