import { RuntimeError } from '../../base/errors.ts';
import { isReserved } from '../bots/isReserved.ts';
import type { NewSandbox } from './sandboxes.ts';

export const VARIABLE_NAME = /^[A-Za-z_][A-Za-z0-9_]{0,127}$/;
const MAX_BYTES = 32_768;
/** What the kernel takes for a whole environment is more; what is beside this is ours. */
const MAX_ALL_BYTES = 512 * 1024;
/** Ours as well, in a sandbox. */
const own =
  /^(HOME|WRAP|BOX_.*|PUBLISH_.*|AGENT_.*|MESSAGE_ENTRYPOINT|ALLOW_EXPERIMENTAL|LOG_.*|TELEMETRY_.*)$/;

/** What somebody else gives a sandbox as its environment reaches our own processes inside too. Throws `config` with every problem. */
export function checkVariables({ env, secretEnv }: Pick<NewSandbox, 'env' | 'secretEnv'>): void {
  const problems: string[] = [];
  const all: [string, string][] = [
    ...Object.entries(env),
    ...Object.entries(secretEnv).map(([name, secret]): [string, string] => [name, secret.reveal()]),
  ];
  let bytes = 0;
  for (const [name, value] of all) {
    bytes += Buffer.byteLength(name) + Buffer.byteLength(value) + 2;
    if (!VARIABLE_NAME.test(name)) problems.push(`env.${name}: not a name of a variable`);
    else if (isReserved(name) || own.test(name)) problems.push(`env.${name}: is set by the runtime`);
    if (Buffer.byteLength(value) > MAX_BYTES) problems.push(`env.${name}: longer than ${MAX_BYTES} bytes`);
    if (value.includes('\0')) problems.push(`env.${name}: has a zero byte in it`);
  }
  if (bytes > MAX_ALL_BYTES) problems.push(`env: more than ${MAX_ALL_BYTES} bytes in all`);
  if (problems.length > 0)
    throw new RuntimeError('config', `a sandbox cannot be given this environment: ${problems[0]}`, {
      op: 'sandboxes.create',
      problems,
    });
}
