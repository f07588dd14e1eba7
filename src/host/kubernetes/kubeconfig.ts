import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import * as v from 'valibot';
import type { Env } from '../../base/env.ts';
import { RuntimeError } from '../../base/errors.ts';
import { parseDocument } from '../../base/parts/yaml.ts';
import { Secret } from '../../base/secret.ts';
import type { ClusterAccess, ClusterTls } from './access.ts';
import { execSchema, tokenOfProgram } from './execToken.ts';
import { tokenFile } from './inCluster.ts';

const optional = <S extends v.GenericSchema>(schema: S) => v.nullish(schema);
const text = v.string();
const named = <S extends v.GenericSchema>(name: string, schema: S) =>
  v.array(v.object({ name: text, [name]: schema }));

const clusterSchema = v.object({
  server: v.pipe(text, v.url()),
  'certificate-authority': optional(text),
  'certificate-authority-data': optional(text),
  'tls-server-name': optional(text),
  'insecure-skip-tls-verify': optional(v.boolean()),
});
const userSchema = v.object({
  token: optional(text),
  tokenFile: optional(text),
  'client-certificate': optional(text),
  'client-certificate-data': optional(text),
  'client-key': optional(text),
  'client-key-data': optional(text),
  exec: optional(execSchema),
});
const contextSchema = v.object({ cluster: text, user: text, namespace: optional(text) });
const schema = v.object({
  'current-context': text,
  contexts: named('context', contextSchema),
  clusters: named('cluster', clusterSchema),
  users: named('user', userSchema),
});

type User = v.InferOutput<typeof userSchema>;

/**
 * The current context of a kubeconfig: certificates, tokens and programs that give tokens. Ours, because `@kubernetes/client-node`
 * (1.x) has its own in one piece with OpenID Connect, JSONPath and every API's classes: 260 ms and 21 MiB to load, for a file that
 * the yaml library reads. Throws `config`.
 */
export function readKubeconfig(path: string, env: Env, now: () => number): ClusterAccess {
  const problem = (what: string, cause?: unknown) =>
    new RuntimeError('config', `${path}: ${what}`, { op: 'cluster.access', path, cause });
  const config = parse(path, problem);
  const find = <T>(list: readonly Record<string, unknown>[], kind: string, name: string): T => {
    const found = list.find((one) => one.name === name)?.[kind];
    if (found === undefined) throw problem(`there is no ${kind} ${JSON.stringify(name)}`);
    return found as T;
  };
  const context = find<v.InferOutput<typeof contextSchema>>(
    config.contexts,
    'context',
    config['current-context'],
  );
  const cluster = find<v.InferOutput<typeof clusterSchema>>(config.clusters, 'cluster', context.cluster);
  const user = find<User>(config.users, 'user', context.user);
  const load = (data: string | null | undefined, file: string | null | undefined): string | undefined => {
    if (data) return Buffer.from(data, 'base64').toString();
    return file ? readFileSync(resolve(dirname(path), file), 'utf8') : undefined;
  };
  return {
    server: cluster.server.replace(/\/+$/, ''),
    tls: {
      ca: load(cluster['certificate-authority-data'], cluster['certificate-authority']),
      serverName: cluster['tls-server-name'] ?? undefined,
      insecure: cluster['insecure-skip-tls-verify'] ?? false,
      client: clientOf(user, load),
    },
    namespace: context.namespace ?? 'default',
    token: tokenOf(user, path, env, now),
  };
}

function parse(path: string, problem: (what: string, cause?: unknown) => RuntimeError) {
  let value: unknown;
  try {
    value = parseDocument(readFileSync(path, 'utf8')).toJS();
  } catch (error) {
    throw problem((error as Error).message, error);
  }
  const read = v.safeParse(schema, value);
  if (read.success) return read.output;
  const [issue] = read.issues;
  const where = issue.path?.map((item) => String(item.key)).join('.') ?? '';
  throw problem(`not a kubeconfig: ${where}: ${issue.message}`);
}

function clientOf(
  user: User,
  load: (data: string | null | undefined, file: string | null | undefined) => string | undefined,
): ClusterTls['client'] {
  const cert = load(user['client-certificate-data'], user['client-certificate']);
  const key = load(user['client-key-data'], user['client-key']);
  return cert === undefined || key === undefined ? undefined : { cert, key: new Secret(key) };
}

function tokenOf(user: User, path: string, env: Env, now: () => number): ClusterAccess['token'] {
  const { token, exec } = user;
  if (exec) return tokenOfProgram(exec, { folder: dirname(path), env, now });
  if (user.tokenFile) return tokenFile(resolve(dirname(path), user.tokenFile), now);
  return async () => (token ? new Secret(token) : undefined);
}
