import { isUtf8 } from 'node:buffer';
import { lstat, mkdir, opendir, rm, rmdir, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { systemCode } from '../../base/errors.ts';
import { makeFolders } from '../../base/makeFolders.ts';
import type { Box } from '../box.ts';
import { answerData } from '../http/answer.ts';
import { BoxError } from '../http/boxError.ts';
import type { Exchange, Route } from '../http/exchange.ts';
import { type Entry, entryReader } from './entry.ts';
import { pathOfUrl } from './paths.ts';

/** A listing with more says that it is not all. */
const MOST_ENTRIES = 10_000;
const DOT = '.'.charCodeAt(0);

/** Files and folders by paths in the URL. */
export function folderRoutes({ config }: Box): readonly Route[] {
  const { workspace } = config;
  const at = ({ params }: Exchange) => pathOfUrl(workspace, params.rest);
  return [
    {
      method: 'GET',
      path: '/fs/list*',
      handle: async (exchange) => {
        const isAll = isSet(exchange.query, 'all');
        answerData(exchange.response, await list(at(exchange), isAll));
      },
    },
    {
      method: 'GET',
      path: '/fs/stat*',
      handle: (exchange) => answerData(exchange.response, entryReader()(at(exchange))),
    },
    {
      method: 'GET',
      path: '/fs/exists*',
      handle: async (exchange) => answerData(exchange.response, { exists: await exists(at(exchange)) }),
    },
    {
      method: 'POST',
      path: '/fs/mkdir*',
      handle: async (exchange) => {
        const path = at(exchange);
        if (isSet(exchange.query, 'recursive')) makeFolders(path);
        else await mkdir(path);
        answerData(exchange.response, { path });
      },
    },
    {
      method: 'DELETE',
      path: '/fs*',
      handle: async (exchange) => {
        const path = at(exchange);
        if (path === '/' || path === workspace) throw new BoxError(403, 'FORBIDDEN', `${path} itself stays`);
        await remove(path, isSet(exchange.query, 'recursive'));
        answerData(exchange.response, { path });
      },
    },
  ];
}

const isSet = (query: URLSearchParams, name: string) =>
  ['', 'true', '1'].includes(query.get(name) ?? 'false');

async function list(path: string, isAll: boolean): Promise<{ entries: Entry[]; truncated?: true }> {
  const read = entryReader();
  const entries: Entry[] = [];
  for await (const child of await opendir(path, { encoding: 'buffer' as BufferEncoding })) {
    const name = child.name as unknown as Buffer;
    if (name[0] === DOT && !isAll) continue;
    if (entries.length === MOST_ENTRIES) return { entries, truncated: true };
    try {
      entries.push(
        read(isUtf8(name) ? join(path, name.toString()) : Buffer.concat([Buffer.from(`${path}/`), name])),
      );
    } catch (error) {
      // It has gone meanwhile.
      if (systemCode(error) !== 'ENOENT') throw error;
    }
  }
  return { entries: entries.sort((one, other) => (one.name < other.name ? -1 : 1)) };
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(systemCode(error) ?? '')) return false;
    throw error;
  }
}

async function remove(path: string, isRecursive: boolean): Promise<void> {
  const found = await lstat(path);
  if (!found.isDirectory()) await unlink(path);
  else if (isRecursive) await rm(path, { recursive: true });
  else await rmdir(path);
}
