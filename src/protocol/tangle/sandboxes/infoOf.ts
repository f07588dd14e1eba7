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
    connection,
  };
}

function time(at: number | undefined): string | undefined {
  return at === undefined ? undefined : new Date(at).toISOString();
}
