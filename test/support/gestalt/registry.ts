import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { onTestFinished } from 'vitest';

/** A registry of this machine, by the distribution API: one image of one empty layer, for whoever has the password. */
export interface Registry {
  /** `127.0.0.1:PORT/private:1` */
  readonly image: string;
  readonly host: string;
  /** Paths that were asked for with the password. */
  readonly served: readonly string[];
  /** Blobs are not answered from now on. */
  hang(): void;
}

const digest = (bytes: Buffer) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

export async function startRegistry(user: string, password: string): Promise<Registry> {
  const layer = Buffer.alloc(1024);
  const config = Buffer.from(
    JSON.stringify({
      architecture: 'amd64',
      os: 'linux',
      // Another image at each run: an engine keeps what it has seen.
      created: new Date().toISOString(),
      config: {},
      rootfs: { type: 'layers', diff_ids: [digest(layer)] },
    }),
  );
  const packed = gzipSync(layer);
  const types = 'application/vnd.docker';
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: `${types}.distribution.manifest.v2+json`,
      config: { mediaType: `${types}.container.image.v1+json`, size: config.length, digest: digest(config) },
      layers: [
        { mediaType: `${types}.image.rootfs.diff.tar.gzip`, size: packed.length, digest: digest(packed) },
      ],
    }),
  );
  const blobs = new Map([config, packed].map((bytes) => [digest(bytes), bytes]));
  const served: string[] = [];
  let isHanging = false;
  const server = createServer(({ url = '', headers, method }, response) => {
    const wanted = `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
    if (headers.authorization !== wanted) {
      response.writeHead(401, { 'www-authenticate': 'Basic realm="test"' }).end();
      return;
    }
    served.push(url);
    const send = (bytes: Buffer, type: string) =>
      response
        .writeHead(200, {
          'content-type': type,
          'content-length': bytes.length,
          'docker-content-digest': digest(bytes),
        })
        .end(method === 'HEAD' ? undefined : bytes);
    const blob = blobs.get(url.split('/').at(-1) ?? '');
    if (url === '/v2/') response.end('{}');
    else if (url.includes('/manifests/')) send(manifest, `${types}.distribution.manifest.v2+json`);
    else if (blob && isHanging) return;
    else if (blob) send(blob, 'application/octet-stream');
    else response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { image: `${host}/private:1`, host, served, hang: () => (isHanging = true) };
}
