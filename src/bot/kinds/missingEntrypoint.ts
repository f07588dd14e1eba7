import { existsSync, readdirSync, readlinkSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { suggest } from '../../base/suggest.ts';

/** Names in a hint. */
const SHOWN_NAMES = 10;
/** An archive of a folder, instead of what is in it, has one; more are looked into, but not thousands. */
const LOOKED_INTO = 100;
/** What says how a program is run or built, and is none itself. */
const ABOUT = /^(\.|bot(-config)?\.ya?ml$|config\.json$|readme|license|makefile$|cmakelists|cargo\.)/i;
const SOURCE =
  /\.(rs|c|cc|cpp|cxx|hs|cs|scala|sbt|cabal|csproj|sln)$|^(cargo\.toml|makefile|cmakelists\.txt)$/i;
/** Where the tools of compiled languages put what they make. */
const OUTPUTS = ['target/release', 'build', 'bin', 'out', 'dist'];

/** What to do about an entrypoint that does not exist in `codePath`. `isBuilt`: it is made from source code. Never throws. */
export function missingEntrypoint(codePath: string, entrypoint: string, isBuilt: boolean): string {
  const all = namesIn(codePath).filter((name) => name !== '.runtime');
  if (all.length === 0) return `${codePath} is empty: set CODE_FILE, or mount the code there.`;
  const link = targetOf(join(codePath, entrypoint));
  if (link !== undefined) return `It is a link to ${link}, which is not there.`;
  const inside = all.slice(0, LOOKED_INTO).find((name) => isFile(join(codePath, name, entrypoint)));
  if (inside !== undefined) return `Did you mean ${join(inside, entrypoint)}?`;
  const elsewhere = OUTPUTS.map((folder) => join(folder, basename(entrypoint))).find((path) =>
    isFile(join(codePath, path)),
  );
  if (isBuilt && elsewhere !== undefined && elsewhere !== entrypoint) return `Did you mean ${elsewhere}?`;

  const folder = nearest(codePath, dirname(entrypoint));
  const names = folder === '.' ? all : namesIn(join(codePath, folder));
  const programs = names.filter(
    (name) => !ABOUT.test(name) && !(isBuilt && (SOURCE.test(name) || name === 'build')),
  );
  const meant = suggest(
    entrypoint,
    programs.map((name) => join(folder, name)),
  );
  if (meant !== undefined) return `Did you mean ${meant}?`;
  const source = isBuilt ? all.sort().find((name) => SOURCE.test(name)) : undefined;
  if (source !== undefined) {
    const how = isFile(join(codePath, 'build')) ? `${join(codePath, 'build')} builds it` : 'build it first';
    return `It is not built yet, there is only its source (${source}): ${how}.`;
  }
  const shown = names.sort().slice(0, SHOWN_NAMES).join(', ');
  const where = folder === '.' ? 'There are' : `In ${folder} there are`;
  return `${where}: ${shown}${names.length > SHOWN_NAMES ? ', …' : ''}`;
}

/** The innermost folder of the path that exists. */
function nearest(codePath: string, folder: string): string {
  return folder === '.' || existsSync(join(codePath, folder)) ? folder : nearest(codePath, dirname(folder));
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function targetOf(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true;
}
