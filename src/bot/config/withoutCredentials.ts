import type { Env } from '../../base/env.ts';
import { type VariableName, variables } from './variables.ts';

/**
 * An environment that bot code may see: without the runtime's secrets and the paths of their files, and without `AWS_*`
 * where the runtime itself uses it for its store (`STORE_URL=s3://` and no `MINIO_*`). Empty `QUERY_PATH` goes too.
 */
export function withoutCredentials(env: Env): Env {
  const secrets = (Object.keys(variables) as VariableName[]).filter(
    (name) => variables[name].shown === 'secret',
  );
  const withheld = new Set(secrets.flatMap((name) => [name, `${name}_FILE`]));
  const usesMinio = ['MINIO_ENDPOINT', ...withheld].some((name) => name.startsWith('MINIO_') && env[name]);
  const usesAws = (env.STORE_URL ?? '').startsWith('s3:') && !usesMinio;
  return Object.fromEntries(
    Object.entries(env).filter(
      ([name, value]) =>
        !withheld.has(name) &&
        !(usesAws && name.startsWith('AWS_')) &&
        !(name === 'QUERY_PATH' && value === ''),
    ),
  );
}
