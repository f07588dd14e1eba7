import { gzipSync } from 'node:zlib';
import { pack } from 'tar-stream';

/** Contents by path; `mode` 0o644 unless said. */
export type Files = Readonly<Record<string, string | Buffer | FileEntry>>;

export interface FileEntry {
  readonly content: string | Buffer;
  readonly mode: number;
}

/** A code archive as a client would upload it. */
export async function tarGz(files: Files): Promise<Buffer> {
  const archive = pack();
  for (const [name, file] of Object.entries(files)) {
    const { content, mode } =
      typeof file === 'string' || Buffer.isBuffer(file) ? { content: file, mode: 0o644 } : file;
    archive.entry({ name, mode }, content);
  }
  archive.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of archive) chunks.push(chunk as Buffer);
  return gzipSync(Buffer.concat(chunks), { level: 1 });
}
