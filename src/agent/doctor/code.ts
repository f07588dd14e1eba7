import { isRuntimeError, RuntimeError } from '../../base/errors.ts';
import { fail, ok } from '../../base/finding.ts';
import type { Config } from '../../bot/config/config.ts';
import { botRequest } from '../../bot/kinds/botRequest.ts';
import { resolveEntrypoint } from '../../bot/kinds/entrypoint.ts';
import { checkFormat } from '../../bot/kinds/executable.ts';
import type { Kind } from '../../bot/kinds/kind.ts';
import type { Check } from './check.ts';

/** The archive is there and within the limit; without one, the code is in place, and the entrypoint in it. */
export const code: Check = {
  name: 'code',
  async run({ config, kind, stores }) {
    const { file, maxBytes } = config.code;
    if (file === undefined) {
      if (kind.entrypoint !== 'file') return [ok('code', 'needs none')];
      await checkEntrypoint(config, kind);
      return [ok('code', `no CODE_FILE: taken as it is in ${config.paths.code}`)];
    }
    const bucket = await stores.open('code', 0);
    try {
      const { size } = await bucket.head(file);
      if (size <= maxBytes) return [ok('code', `${file} in ${bucket.name}, ${size} bytes`)];
      const text = `${file} has ${size} bytes, and MAX_CODE_SIZE_MB allows ${maxBytes}`;
      return [fail('code', new RuntimeError('damaged', text))];
    } catch (error) {
      if (!isRuntimeError(error, 'not-found')) return [fail('code', error)];
      const text = `there is no ${file} in ${bucket.name}`;
      return [
        fail(
          'code',
          new RuntimeError('not-found', text, { hint: 'CODE_FILE names the key of the archive.' }),
        ),
      ];
    }
  },
};

/** As a start would, but without making the program executable. */
async function checkEntrypoint(config: Config, kind: Kind): Promise<void> {
  const path = await resolveEntrypoint(config.paths.code, config.entrypoint);
  const { argv, wrapped = 0 } = await kind.launch(botRequest(config));
  if (argv[wrapped]?.startsWith(`${config.paths.code}/`)) checkFormat(path);
}
