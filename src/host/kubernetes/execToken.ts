import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import * as v from 'valibot';
import type { Env } from '../../base/env.ts';
import { RuntimeError } from '../../base/errors.ts';
import { Secret } from '../../base/secret.ts';
import type { ClusterAccess } from './access.ts';

/** `users[].user.exec` of a kubeconfig: how clouds give out tokens. */
export const execSchema = v.object({
  apiVersion: v.string(),
  command: v.string(),
  args: v.nullish(v.array(v.string())),
  env: v.nullish(v.array(v.object({ name: v.string(), value: v.string() }))),
});

const answerSchema = v.object({
  status: v.object({ token: v.string(), expirationTimestamp: v.nullish(v.string()) }),
});

const PROGRAM_MS = 60_000;
/** Asked again this long before the token expires. */
const BEFORE_MS = 60_000;
const MAX_BYTES = 1024 * 1024;

interface Place {
  /** Of the kubeconfig: a command with a slash is relative to it. */
  readonly folder: string;
  readonly env: Env;
  readonly now: () => number;
}

/** Tokens that a program prints (client.authentication.k8s.io), kept until they expire. */
export function tokenOfProgram(
  exec: v.InferOutput<typeof execSchema>,
  { folder, env, now }: Place,
): ClusterAccess['token'] {
  let last: { readonly token: Secret; readonly until: number } | undefined;
  const command = exec.command.includes('/') ? resolve(folder, exec.command) : exec.command;
  const variables = {
    ...env,
    ...Object.fromEntries((exec.env ?? []).map(({ name, value }) => [name, value])),
    KUBERNETES_EXEC_INFO: JSON.stringify({
      apiVersion: exec.apiVersion,
      kind: 'ExecCredential',
      spec: { interactive: false },
    }),
  };
  return async (anew, signal) => {
    if (last !== undefined && !anew && now() < last.until) return last.token;
    try {
      const { stdout } = await promisify(execFile)(command, exec.args ?? [], {
        env: variables,
        timeout: PROGRAM_MS,
        maxBuffer: MAX_BYTES,
        signal,
      });
      const { status } = v.parse(answerSchema, JSON.parse(stdout));
      const until = status.expirationTimestamp
        ? Date.parse(status.expirationTimestamp) - BEFORE_MS
        : Infinity;
      last = { token: new Secret(status.token), until };
      return last.token;
    } catch (error) {
      signal.throwIfAborted();
      throw new RuntimeError('denied', `${exec.command} gave no token: ${(error as Error).message}`, {
        op: 'cluster.access',
        retryable: true,
        cause: error,
      });
    }
  };
}
