import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { InstanceSpec, Mount } from '../../host/engine/engine.ts';
import type { StartPluginRequest } from './messages.ts';
import {
  CA_FILE,
  type LocalRelay,
  loopbackNames,
  PLUGIN_SOCKET,
  pluginEnvironment,
  SHARED,
} from './pluginEnvironment.ts';
import type { Provider } from './provider.ts';
import type { Session } from './session.ts';

const RELAY = `${SHARED}-relay`;

/** The container of a session: the image as it is, its own user and working directory, and this command instead of its own. */
export function containerOf(
  { config, relay, owner }: Provider,
  session: Session,
  request: StartPluginRequest,
  relays: readonly LocalRelay[],
): InstanceSpec {
  const command = [request.command, ...request.args];
  const ports = relays.map(({ localPort }) => `${localPort}=${SHARED}/relay-${localPort}.sock`);
  // Exactly this command and no shell; the helper before it opens the socket that the plugin makes, and forwards.
  const argv = relay === undefined ? command : [RELAY, `open=${PLUGIN_SOCKET}`, ...ports, '--', ...command];
  const bindings = Object.fromEntries(
    [...session.bindings].map(([name, target]) => [
      name,
      target.includes('://') ? target : `${SHARED}/${target}`,
    ]),
  );
  const env = pluginEnvironment({ pluginName: request.pluginName, env: request.env, bindings, relays });
  const folder = (target: string, path: string, readOnly: boolean): Mount => ({
    target,
    readOnly,
    from: { type: 'folder', path },
  });
  const ca = request.env.GESTALT_HOST_SERVICE_TLS_CA_FILE;
  return {
    name: session.container,
    bot: session.id,
    role: 'sandbox',
    hash: createHash('sha256').update(session.id).digest('hex').slice(0, 32),
    run: undefined,
    image: session.imageFacts!.id,
    entrypoint: argv.slice(0, 1),
    command: argv.slice(1),
    env,
    secretEnv: {},
    user: undefined,
    guest: {
      directory: request.workdir === '' ? undefined : request.workdir,
      network: relays.length === 0 && !isClosed(request),
      names: Object.fromEntries(loopbackNames(relays).map((name) => [name, '127.0.0.1'])),
    },
    mounts: [
      folder(SHARED, join(session.folder, 'shared'), false),
      ...(relay === undefined ? [] : [folder(RELAY, relay, true)]),
      ...(ca ? [folder(CA_FILE, ca, true)] : []),
    ],
    resources: {
      memoryBytes: config.memory,
      cpuMillis: config.cpu * 1000,
      cpuLimit: false,
      pids: config.pids,
      diskBytes: 0,
    },
    egress: 'internet',
    stopTimeoutMs: 2000,
    labels: { 'runtime.protocol': 'gestalt', 'runtime.owner': owner, 'runtime.plugin': request.pluginName },
  };
}

/** A policy that leaves nothing at all. */
function isClosed({ defaultAction }: StartPluginRequest): boolean {
  return defaultAction.toLowerCase() === 'deny';
}
