import type { Owner } from '../../../base/owner.ts';
import type { Config } from '../../../bot/config/config.ts';
import { botEnvironment } from '../../../bot/kinds/botEnv.ts';
import { botRequest } from '../../../bot/kinds/botRequest.ts';
import type { Kind, LaunchRequest } from '../../../bot/kinds/kind.ts';
import type { ProgramLaunch } from './programLaunch.ts';

export interface PrepareProgramOptions {
  readonly config: Config;
  readonly kind: Kind;
  /** The container's environment; it may hold the credentials. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly user: Owner | undefined;
  /** From `readonlyWrapper`. */
  readonly wrapper: readonly string[];
}

export function programRequest(config: Config): LaunchRequest {
  return { ...botRequest(config), role: 'query', entrypoint: config.queryEntrypoint ?? config.entrypoint };
}

/** The query program as its kind launches it. Throws `config`; `no-entrypoint` and `not-executable` as `Kind.verify`. */
export async function prepareProgram(options: PrepareProgramOptions): Promise<ProgramLaunch> {
  const { config, kind, env, user, wrapper } = options;
  const request = programRequest(config);
  const launch = await kind.launch(request);
  await kind.verify(request);
  return {
    argv: [...wrapper, ...launch.argv],
    env: botEnvironment({
      containerEnv: env,
      request,
      launch,
      otherUser: config.user !== undefined,
      // Another user could not write these beside the code, nor should a query leave anything there.
      extra: { PYTHONDONTWRITEBYTECODE: '1' },
    }),
    cwd: launch.cwd,
    control: launch.control,
    user,
  };
}

/** Where the SDKs put their answers. */
export const RESULT_DIR = '/query';
