import { RuntimeError } from '../../../../base/errors.ts';

/** Where an engine listens: a socket of this machine, or a port. */
export type EngineAddress =
  | { readonly socketPath: string }
  | { readonly host: string; readonly port: number };

/** `unix:///run/docker.sock`, a plain path, or `tcp://host:port`; undefined: where engines usually listen. Throws `config` for any other. */
export function parseEngineAddress(text = '/var/run/docker.sock'): EngineAddress {
  if (text.startsWith('/')) return { socketPath: text };
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol === 'unix:' && url.host === '' && url.pathname.length > 1)
    return { socketPath: decodeURIComponent(url.pathname) };
  if (url?.protocol === 'tcp:' && url.hostname !== '')
    return { host: url.hostname.replace(/^\[|\]$/g, ''), port: Number(url.port || 2375) };
  throw new RuntimeError('config', `DOCKER_HOST=${JSON.stringify(text)} is not valid`, {
    hint: 'Expected unix:///path/to/docker.sock or tcp://host:port. The host must be on the engine’s own machine: bots get folders of it.',
  });
}
