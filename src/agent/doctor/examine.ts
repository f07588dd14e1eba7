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

/**
 * The room of `runtime doctor`: would a start with this configuration work here? Each check is a file, looks at one thing, and gives
 * findings: `ok`, `warn` or `fail`, each with what to do. A check starts no bot and changes nothing but a probe that it removes.
 *
 *   capabilities, paths   may this user do what a start does, and can the bot's user reach its folders (`asUser`)?
 *   kind                  is the interpreter here, and is the entrypoint one that it can run?
 *   store, code           does the store answer, does it keep conditions, and is the archive there?
 *   queries, secrets      is the port free, and can bot code read our memory?
 *   surroundings          who reaps orphans, and how many processes are allowed
 */

/** In the order in which a start would meet them: the first that fails decides its exit code. */
const checks: readonly Check[] = [capabilities, paths, kind, store, code, queries, secrets, surroundings];

/** The findings in the order of the checks. Never throws. */
export function examine(patient: Patient): Promise<readonly Finding[]> {
  return runChecks(checks, patient);
}
