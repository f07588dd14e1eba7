import { RpcError } from './rpcError.ts';

const DOCKER_HUB = ['docker.io', 'index.docker.io', 'https://index.docker.io/v1/'];

interface Entry {
  readonly username?: unknown;
  readonly password?: unknown;
  readonly auth?: unknown;
  readonly identitytoken?: unknown;
}

/**
 * The engine's `X-Registry-Auth` for an image's registry out of a Docker config file's JSON; undefined: none is needed. Throws
 * INVALID_ARGUMENT, without a word of what is in it.
 */
export function pullAuth(image: string, dockerConfigJson: string | undefined): string | undefined {
  if (dockerConfigJson === undefined || dockerConfigJson.trim() === '') return undefined;
  const entry = entryFor(registryOf(image), parse(dockerConfigJson));
  if (entry === undefined) return undefined;
  const { username, password } = credentialsOf(entry);
  const serveraddress = registryOf(image);
  const auth = entry.identitytoken
    ? { identitytoken: entry.identitytoken, serveraddress }
    : { username, password, serveraddress };
  // With the padding, which Node leaves out: without it the engine takes the header for none, and says nothing.
  return Buffer.from(JSON.stringify(auth)).toString('base64').replaceAll('+', '-').replaceAll('/', '_');
}

/** `ghcr.io/x/y` → `ghcr.io`; a name without a host is Docker Hub's. */
function registryOf(image: string): string {
  const [first = '', ...rest] = image.split('/');
  const isHost = rest.length > 0 && (/[.:]/.test(first) || first === 'localhost');
  return isHost ? first : 'docker.io';
}

function parse(json: string): Record<string, Entry> {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    throw new RpcError('INVALID_ARGUMENT', 'imagePullAuth.dockerConfigJson is not JSON');
  }
  const { auths } = (value ?? {}) as { auths?: unknown };
  if (typeof auths !== 'object' || auths === null) {
    throw new RpcError('INVALID_ARGUMENT', 'imagePullAuth.dockerConfigJson has no "auths"');
  }
  return auths as Record<string, Entry>;
}

function entryFor(registry: string, auths: Record<string, Entry>): Entry | undefined {
  const hosts = registry === 'docker.io' ? DOCKER_HUB : [registry];
  const matching = Object.entries(auths).find(
    ([host]) => hosts.includes(host) || hosts.includes(hostOf(host)),
  );
  return matching?.[1];
}

/** `https://ghcr.io/v2/` → `ghcr.io`. */
const hostOf = (key: string) => key.replace(/^https?:\/\//, '').split('/')[0] ?? key;

function credentialsOf({ username, password, auth }: Entry): {
  readonly username: string;
  readonly password: string;
} {
  if (typeof username === 'string' && typeof password === 'string') return { username, password };
  const decoded = typeof auth === 'string' ? Buffer.from(auth, 'base64').toString() : '';
  const colon = decoded.indexOf(':');
  if (colon < 0) {
    throw new RpcError(
      'INVALID_ARGUMENT',
      'an entry of imagePullAuth has neither username and password nor a usable "auth"',
    );
  }
  return { username: decoded.slice(0, colon), password: decoded.slice(colon + 1) };
}
