import { existsSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Env } from '../base/env.ts';
import { RuntimeError } from '../base/errors.ts';
import { Secret } from '../base/secret.ts';

const BOX_PORT = 9478;

/** What a box is told. Variables that begin with `BOX_` are its own: nothing that it starts sees them. */
export interface BoxConfig {
  /** What every request but `GET /health` has to carry. */
  readonly token: Secret;
  readonly port: number;
  /** An absolute path: what relative paths are relative to, and where commands run. */
  readonly workspace: string;
  /** The environment of all that it starts. */
  readonly env: Readonly<Record<string, string>>;
  readonly shell: string;
}

/** From `BOX_TOKEN`, `BOX_PORT` (9478) and `BOX_WORKSPACE` (where it was started). Throws `config`. */
export function readBoxConfig(env: Env, cwd: string): BoxConfig {
  const problems: string[] = [];
  const token = env.BOX_TOKEN ?? '';
  if (token === '') problems.push('BOX_TOKEN is not set');
  const port = Number(env.BOX_PORT || BOX_PORT);
  if (!Number.isInteger(port) || port < 0 || port > 65535)
    problems.push(`BOX_PORT: ${env.BOX_PORT} is no port`);
  const workspace = resolve(cwd, env.BOX_WORKSPACE || '.');
  if (!statSync(workspace, { throwIfNoEntry: false })?.isDirectory()) {
    problems.push(`BOX_WORKSPACE: ${workspace} is not a folder`);
  }
  if (problems.length > 0) throw new RuntimeError('config', 'the box cannot start', { problems });
  return {
    token: new Secret(token),
    port,
    workspace,
    env: commandEnv(env, workspace),
    shell: existsSync('/bin/bash') ? '/bin/bash' : '/bin/sh',
  };
}

/** `AGENT_WORKSPACE_ROOT` is where clients look for the workspace. */
function commandEnv(env: Env, workspace: string): Record<string, string> {
  const kept = Object.entries(env).filter(
    (entry): entry is [string, string] => entry[1] !== undefined && !entry[0].startsWith('BOX_'),
  );
  return {
    PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    HOME: workspace,
    // Its number has no name in the image: what asks for one looks here first.
    USER: 'user',
    LOGNAME: 'user',
    ...Object.fromEntries(kept),
    AGENT_WORKSPACE_ROOT: workspace,
  };
}
