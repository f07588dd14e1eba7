import { isRuntimeError, RuntimeError } from '../../base/errors.ts';
import { fail, ok } from '../../base/finding.ts';
import { botRequest } from '../../bot/kinds/botRequest.ts';
import { resolveEntrypoint } from '../../bot/kinds/entrypoint.ts';
import { checkFormat, checkMode } from '../../bot/kinds/executable.ts';
import { lackedCapabilities } from '../process/capabilities.ts';
import { botMay } from './asUser.ts';
import type { Check, Patient } from './check.ts';

/** The archive is there and within the limit; without one, the code is in place, and the entrypoint in it. */
export const code: Check = {
  name: 'code',
  async run(patient) {
    const { config, kind, stores } = patient;
    const { file, maxBytes } = config.code;
    if (file === undefined) {
      if (kind.entrypoint !== 'file') return [ok('code', 'needs none')];
      await checkEntrypoint(patient);
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
async function checkEntrypoint({ config, kind, uid }: Patient): Promise<void> {
  const path = await resolveEntrypoint(config.paths.code, config.entrypoint);
  const { argv, cwd, wrapped = 0 } = await kind.launch(botRequest(config));
  if (!argv[wrapped]?.startsWith(`${config.paths.code}/`)) return;
  checkFormat(path, cwd);
  const isOurs = (owner: number) =>
    owner === uid || (uid === 0 && lackedCapabilities(['FOWNER']).length === 0);
  checkMode(path, isOurs, (await botMay(config.user, '-x', path)) !== false);
}
