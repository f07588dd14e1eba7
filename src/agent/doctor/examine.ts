import { type Finding, fail } from '../../base/finding.ts';
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

/** All checks at once; the findings in their order. Never throws. */
export async function examine(patient: Patient): Promise<readonly Finding[]> {
  const found = await Promise.all(
    checks.map(async (check) => {
      try {
        return await check.run(patient);
      } catch (error) {
        return [fail(check.name, error)];
      }
    }),
  );
  return found.flat();
}
