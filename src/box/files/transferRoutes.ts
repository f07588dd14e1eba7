import { rm } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { basename, join } from 'node:path';
import { createGzip } from 'node:zlib';
import type { Box } from '../box.ts';
import { answerData } from '../http/answer.ts';
import type { Route } from '../http/exchange.ts';
import { sendPieces } from '../http/sendStream.ts';
import { moveFile } from './moveFile.ts';
import { openFile, pieces } from './openFile.ts';
import { packFolder } from './packFolder.ts';
import { pathOfUrl, readPath } from './paths.ts';
import { readForm } from './readForm.ts';
import { readMode } from './routes.ts';
import { unpackInto } from './unpackInto.ts';
import { temporaryName, type Written, writeFile } from './writeFile.ts';

/** Files and folders as bytes, of any size. */
export function transferRoutes({ config: { workspace } }: Box): readonly Route[] {
  return [
    {
      method: 'POST',
      path: '/fs/upload',
      handle: async ({ request, response }) => {
        const { file, fields, written } = await receive(request, 'file', workspace);
        try {
          const path = readPath(workspace, fields.get('path'));
          const canReplace = fields.get('overwrite') !== 'false';
          await moveFile(file, path, { mode: readMode(fields.get('permissions')), canReplace });
          answerData(response, { path, ...written });
        } finally {
          await rm(file, { force: true });
        }
      },
    },
    {
      method: 'POST',
      path: '/fs/upload-dir',
      handle: async ({ request, response }) => {
        const { file, fields } = await receive(request, 'archive', workspace);
        try {
          const path = readPath(workspace, fields.get('path'));
          answerData(response, { path, ...(await unpackInto(file, path)) });
        } finally {
          await rm(file, { force: true });
        }
      },
    },
    {
      method: 'GET',
      path: '/fs/download-dir*',
      handle: async ({ response, params, gone }) => {
        const path = pathOfUrl(workspace, params.rest);
        const tar = await packFolder(path, gone);
        response.writeHead(200, {
          'content-type': 'application/gzip',
          'content-disposition': attachment(`${basename(path) || 'root'}.tar.gz`),
          'cache-control': 'no-store',
        });
        const gzip = createGzip({ level: 4 });
        tar.once('error', (error: Error) => gzip.destroy(error));
        gone.addEventListener('abort', () => tar.destroy(), { once: true });
        await sendPieces(response, tar.pipe(gzip), gone);
      },
    },
    {
      method: 'GET',
      path: '/fs/download*',
      handle: async ({ response, params, gone }) => {
        const path = pathOfUrl(workspace, params.rest);
        const { file, size } = await openFile(path);
        response.writeHead(200, {
          'content-type': 'application/octet-stream',
          'content-length': size,
          'content-disposition': attachment(basename(path)),
          'cache-control': 'no-store',
        });
        await sendPieces(response, pieces(file, size), gone);
      },
    },
  ];
}

/** RFC 6266: any name, in ASCII. */
const attachment = (name: string) =>
  `attachment; filename*=UTF-8''${encodeURIComponent(name.toWellFormed())}`;

/**
 * The form's file, on the disk of the workspace until it is known where it belongs: clients name its path behind it. It may be larger than
 * any folder in memory.
 */
async function receive(
  request: IncomingMessage,
  field: string,
  workspace: string,
): Promise<{ file: string; fields: ReadonlyMap<string, string>; written: Written }> {
  const file = join(workspace, temporaryName());
  try {
    const { fields, taken } = await readForm(request, field, (bytes) =>
      writeFile(file, bytes as AsyncIterable<Buffer>),
    );
    return { file, fields, written: taken };
  } catch (error) {
    await rm(file, { force: true });
    throw error;
  }
}
