import { createHash } from 'node:crypto';
import type { Sandbox } from '../../../host/sandboxes/sandboxes.ts';

/** Where the API inside of a sandbox is, and what opens it (facts, section 1.2). */
export interface Connection {
  readonly sidecarUrl: string;
  readonly authToken: string;
  readonly authTokenExpiresAt: string;
  /** The same API with the caller's own key. */
  readonly runtimeUrl: string;
}

/** A sandbox as clients read it; times are RFC 3339, sizes in their units. */
export function infoOf(sandbox: Sandbox, connection: Connection): Readonly<Record<string, unknown>> {
  const { resources } = sandbox;
  return {
    id: sandbox.id,
    name: sandbox.name,
    status: sandbox.status,
    createdAt: time(sandbox.createdAt),
    startedAt: time(sandbox.startedAt),
    lastActivityAt: time(sandbox.lastActivityAt),
    expiresAt: time(sandbox.expiresAt),
    error: sandbox.error,
    cause: sandbox.cause,
    host: sandbox.host,
    image: sandbox.image,
    metadata: sandbox.metadata,
    resources: {
      cpuCores: resources.cpuMillis / 1000,
      memoryMB: Math.round(resources.memoryBytes / 2 ** 20),
      diskGB: Math.round((resources.diskBytes / 2 ** 30) * 1000) / 1000,
    },
    network: { egress: sandbox.egress },
    ...(sandbox.idleMs === undefined ? {} : { idleTimeoutSeconds: sandbox.idleMs / 1000 }),
    ...(sandbox.lifetimeMs === undefined ? {} : { maxLifetimeSeconds: sandbox.lifetimeMs / 1000 }),
    ...incarnationOf(sandbox),
    connection: { ...connection, edgeStatus: sandbox.status === 'running' ? 'ready' : 'pending' },
  };
}

function time(at: number | undefined): string | undefined {
  return at === undefined ? undefined : new Date(at).toISOString();
}

/** How newer clients tell that it is still the disk that they knew: a sandbox has one for as long as it is there, wherever it runs. */
function incarnationOf({ id, status }: Sandbox) {
  const hex = createHash('sha256').update(id).digest('hex');
  const [a, b, c, d, e] = [
    hex.slice(0, 8),
    hex.slice(8, 12),
    hex.slice(13, 16),
    hex.slice(17, 20),
    hex.slice(20, 32),
  ];
  return {
    // A UUID of one's own making (RFC 9562, version 8).
    filesystemIncarnationId: `${a}-${b}-8${c}-8${d}-${e}`,
    filesystemIncarnationProvenance: 'unknown',
    filesystemIncarnationReadiness: status === 'running' || status === 'stopped' ? 'ready' : 'transitioning',
  };
}
