import { randomBytes } from 'node:crypto';
import { freePort } from '../process/freePort.ts';

/** The parts of a machine that a page takes for its reader's alone, replaced by parts that no test beside it uses. */
export interface OwnParts {
  /** Distinguishes names on the engine that other tests use as well. */
  readonly suffix: string;
  readonly env: Readonly<Record<string, string>>;
  /** The same commands with the page's ports, paths, container names and image replaced. */
  replaced(script: string): string;
}

export async function ownParts(dir: string, image: string): Promise<OwnParts> {
  const [query, gateway, health, store, serve, served] = [
    await freePort(),
    await freePort(),
    await freePort(),
    await freePort(),
    await freePort(),
    await freePort(),
  ];
  const suffix = randomBytes(4).toString('hex');
  const parts: readonly (readonly [RegExp, string])[] = [
    [/\b9476\b/g, String(query)],
    [/\b9477\b/g, String(gateway)],
    [/\b8080\b/g, String(health)],
    [/\b9000\b/g, String(store)],
    [/\b9480\b/g, String(serve)],
    [/\/etc\/runtime\b/g, `${dir}/etc`],
    [/\bruntime:universal\b/g, image],
    [/\bmy-(bot|watcher)\b/g, `my-$1-${suffix}`],
  ];
  return {
    suffix,
    env: {
      QUERY_PORT: String(query),
      RUNTIME_HOST_QUERY_PORT: String(gateway),
      RUNTIME_HOST_HEALTH_PORT: String(health),
      RUNTIME_HOST_DATA: `${dir}/host-data`,
      RUNTIME_HOST_SOCKET: `${dir}/host.sock`,
      RUNTIME_IMAGE: image,
      RUNTIME_SERVE_PORT: String(serve),
      RUNTIME_SERVE_STORE_PORT: String(served),
    },
    replaced: (script) => parts.reduce((text, [from, to]) => text.replaceAll(from, to), script),
  };
}
