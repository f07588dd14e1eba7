import type { Finding } from '../../base/finding.ts';
import { runChecks } from '../../base/runChecks.ts';
import { capabilities } from './capabilities.ts';
import type { Check, Patient } from './check.ts';
import { code } from './code.ts';
import { kind } from './kind.ts';
import { paths } from './paths.ts';
import { queries } from './queries.ts';
import { secrets } from './secrets.ts';
import { store } from './store.ts';
import { surroundings } from './surroundings.ts';

/** In the order in which a start would meet them: the first that fails decides its exit code. */
const checks: readonly Check[] = [capabilities, paths, kind, store, code, queries, secrets, surroundings];

/** The findings in the order of the checks. Never throws. */
export function examine(patient: Patient): Promise<readonly Finding[]> {
  return runChecks(checks, patient);
}
