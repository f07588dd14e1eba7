import { matchesGlob, relative } from 'node:path';
import type { Box } from '../box.ts';
import { execute } from '../commands/execute.ts';
import { readCwd, readText } from '../commands/readCommand.ts';
import { answerJson } from '../http/answer.ts';
import { BoxError, invalid } from '../http/boxError.ts';
import type { Route } from '../http/exchange.ts';
import { type JsonObject, readJson } from '../http/readJson.ts';
import { MARK, type Match, parseMatches } from './parseMatches.ts';

const MOST_PATTERN_BYTES = 16 * 1024;
const MOST_GLOB_CHARACTERS = 256;
const USUAL_RESULTS = 1000;
const MOST_RESULTS = 10_000;
const MOST_CONTEXT = 20;
const TIMEOUT_MS = 30_000;

/**
 * Lines of files that fit a pattern, by grep(1): a process of its own, which a hostile pattern may keep busy until its time is over, and
 * not us. Patterns are Perl's where grep knows them, else extended ones; binary files are left out.
 */
export function searchRoute({ config, starter, clock, limits }: Box): Route {
  const grep = async (body: JsonObject, flavour: '-P' | '-E') => {
    const argv = [
      'grep',
      '-rnIZ',
      '--exclude-dir=.git',
      '--color=always',
      flavour,
      ...options(body),
      '-e',
      readText(body, 'pattern'),
      '.',
    ];
    return await execute({
      words: { argv },
      cwd: readCwd(body.cwd, config.workspace),
      env: { ...config.env, LC_ALL: 'C.UTF-8', GREP_COLORS: `mt=${MARK}:sl=:cx=:fn=:ln=:bn=:se=` },
      timeoutMs: TIMEOUT_MS,
      starter,
      clock,
      keptBytes: limits.keptBytes,
    });
  };
  return {
    method: 'POST',
    path: '/search',
    handle: async ({ request, response }) => {
      const body = await readJson(request, MOST_PATTERN_BYTES * 2);
      const glob = readGlob(body);
      const most = readCount(body, 'maxResults', USUAL_RESULTS, MOST_RESULTS);
      let found = await grep(body, '-P');
      if (found.exitCode === 2 && /-P option|not supported/.test(found.stderr))
        found = await grep(body, '-E');
      // 2 as well where some file could not be read: what was found counts then.
      if (found.exitCode > 1 && found.stdout === '') {
        throw new BoxError(400, 'VALIDATION_ERROR', found.stderr.slice(0, 500), {
          fields: { pattern: found.stderr.slice(0, 500) },
        });
      }
      const fits = (match: Match) => glob === undefined || matchesGlob(match.path, glob);
      const all = parseMatches(found.stdout).filter(fits);
      const truncated = all.length > most || found.truncated !== undefined;
      answerJson(response, 200, {
        success: true,
        matches: all.slice(0, most),
        ...(truncated && { truncated }),
      });
    },
  };
}

function options(body: JsonObject): string[] {
  const context = readCount(body, 'context', 0, MOST_CONTEXT);
  return [...(body.ignoreCase === true ? ['-i'] : []), ...(context > 0 ? ['-C', String(context)] : [])];
}

/** As ripgrep has it: without a slash it is about names in any folder. */
function readGlob({ glob }: JsonObject): string | undefined {
  if (glob === undefined || glob === null || glob === '') return undefined;
  if (
    typeof glob !== 'string' ||
    glob.length > MOST_GLOB_CHARACTERS ||
    (glob.match(/[{(]/g) ?? []).length > 2
  ) {
    throw invalid('glob', `is not a pattern of at most ${MOST_GLOB_CHARACTERS} characters`);
  }
  return glob.includes('/') ? relative('/', `/${glob}`) : `**/${glob}`;
}

function readCount(body: JsonObject, field: string, usual: number, most: number): number {
  const value = body[field] ?? usual;
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0) return Math.min(value, most);
  throw invalid(field, 'is not a count');
}
