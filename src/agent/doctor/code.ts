import { isRuntimeError, RuntimeError } from '../../base/errors.ts';
import { type Finding, fail, ok } from '../../base/finding.ts';
import { botRequest } from '../../bot/kinds/botRequest.ts';
import { resolveEntrypoint } from '../../bot/kinds/entrypoint.ts';
import { checkFormat, checkMode } from '../../bot/kinds/executable.ts';
import { lackedCapabilities } from '../process/capabilities.ts';
import { botMay } from './asUser.ts';
import type { Check, Patient } from './check.ts';

/** The archive, and what the task takes from its bucket, are there and within the limit; without one, code and entrypoint are in place. */
export const code: Check = {
  name: 'code',
  async run(patient) {
    const { config, kind } = patient;
    const { file } = config.code;
    const inputs = config.task.inputs.filter(({ key }) => key !== undefined);
    const findings = await Promise.all([
      ...(file === undefined
        ? []
        : [object(patient, 'code', file, 'CODE_FILE names the key of the archive.')]),
      ...inputs.map(({ id, key }) => object(patient, `input ${id}`, key!, 'The task names its key.')),
    ]);
    if (file !== undefined) return findings;
    await checkEntrypoint(patient);
    const text = `no CODE_FILE: taken as it is in ${config.paths.code}`;
    return [ok('code', kind.entrypoint === 'file' ? text : 'needs none'), ...findings];
  },
};

async function object(
  { config, stores }: Patient,
  check: string,
  key: string,
  hint: string,
): Promise<Finding> {
  const { maxBytes } = config.code;
  const bucket = await stores.open('code', 0);
  try {
    const { size } = await bucket.head(key);
    if (size <= maxBytes) return ok(check, `${key} in ${bucket.name}, ${size} bytes`);
    return fail(
      check,
      new RuntimeError('damaged', `${key} has ${size} bytes, and MAX_CODE_SIZE_MB allows ${maxBytes}`),
    );
  } catch (error) {
    if (!isRuntimeError(error, 'not-found')) return fail(check, error);
    return fail(check, new RuntimeError('not-found', `there is no ${key} in ${bucket.name}`, { hint }));
  }
}

/** As a start would, but without making the program executable. */
async function checkEntrypoint({ config, kind, uid }: Patient): Promise<void> {
  const request = { ...botRequest(config), dryRun: true };
  // What is wrong with that the check of the kind tells.
  const launch = await kind.launch(request).catch(() => undefined);
  if (launch === undefined) return;
  // What is fetched from the store is not there yet.
  const inputs = request.task.inputs.filter(({ key }) => key === undefined);
  await kind.verify({ ...request, task: { ...request.task, inputs } });
  const { argv, cwd, wrapped = 0 } = launch;
  if (!argv[wrapped]?.startsWith(`${config.paths.code}/`)) return;
  const path = await resolveEntrypoint(config.paths.code, config.entrypoint);
  checkFormat(path, cwd);
  const isOurs = (owner: number) =>
    owner === uid || (uid === 0 && lackedCapabilities(['FOWNER']).length === 0);
  checkMode(path, isOurs, (await botMay(config.user, '-x', path)) !== false);
}
