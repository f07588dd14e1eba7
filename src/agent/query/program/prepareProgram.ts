import type { Owner } from '../../../base/owner.ts';
import type { Config } from '../../../bot/config/config.ts';
import { botEnvironment } from '../../../bot/kinds/botEnv.ts';
import type { Kind } from '../../../bot/kinds/kind.ts';
import { queryRequest } from '../../../bot/kinds/queryRequest.ts';
import { withBytes } from '../../process/withBytes.ts';
import type { ProgramLaunch } from './programLaunch.ts';

export interface PrepareProgramOptions {
  readonly config: Config;
  readonly kind: Kind;
  /** The container's environment; it may hold the credentials. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly user: Owner | undefined;
  /** Those that are not UTF-8, where `env` was handed to us; see `withBytes`. */
  readonly variables?: readonly Buffer[] | undefined;
  /** From `readonlyWrapper`. */
  readonly wrapper: readonly string[];
}

/** The query program as its kind launches it. Throws `config`; `no-entrypoint` and `not-executable` as `Kind.verify`. */
export async function prepareProgram(options: PrepareProgramOptions): Promise<ProgramLaunch> {
  const { config, kind, env, variables, user, wrapper } = options;
  const request = queryRequest(config);
  const launch = await kind.launch(request);
  await kind.verify(request);
  const programEnv = botEnvironment({
    containerEnv: env,
    request,
    launch,
    otherUser: config.user !== undefined,
    // Another user could not write these beside the code, nor should a query leave anything there.
    extra: { PYTHONDONTWRITEBYTECODE: '1' },
  });
  return {
    argv: await withBytes([...wrapper, ...launch.argv], programEnv, variables),
    env: programEnv,
    cwd: launch.cwd,
    control: launch.control,
    user,
  };
}

/** Where the SDKs put their answers. */
export const RESULT_DIR = '/query';
