import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Env } from '../../base/env.ts';
import { hasPassed } from '../../base/hasPassed.ts';
import { Secret } from '../../base/secret.ts';
import type { ClusterAccess } from './access.ts';

const ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount';
/** The kubelet writes a new token into the file long before the old one expires. */
const TOKEN_FRESH_MS = 60_000;

/** As the service account of this pod; undefined outside of a pod, or without a token. */
export function inCluster(env: Env, now: () => number, folder = ACCOUNT): ClusterAccess | undefined {
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port } = env;
  if (!host || !port || !existsSync(join(folder, 'token'))) return undefined;
  const read = (name: string) => readFileSync(join(folder, name), 'utf8').trim();
  return {
    server: `https://${host.includes(':') ? `[${host}]` : host}:${port}`,
    tls: { ca: read('ca.crt'), serverName: undefined, insecure: false, client: undefined },
    namespace: read('namespace'),
    token: tokenFile(join(folder, 'token'), now),
  };
}

/** A token in a file that is written again while we run. */
export function tokenFile(path: string, now: () => number): ClusterAccess['token'] {
  let last: { readonly token: Secret; readonly at: number } | undefined;
  return async (anew) => {
    if (last === undefined || anew || hasPassed(last.at, TOKEN_FRESH_MS, now()))
      last = { token: new Secret(readFileSync(path, 'utf8').trim()), at: now() };
    return last.token;
  };
}
