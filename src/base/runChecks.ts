import { type Finding, fail } from './finding.ts';

/** One family of checks; throws only for what is wrong with the whole family. */
export interface CheckOf<Patient> {
  readonly name: string;
  run(patient: Patient): Promise<readonly Finding[]>;
}

/** All checks at once; the findings in their order. Never throws. */
export async function runChecks<Patient>(
  checks: readonly CheckOf<Patient>[],
  patient: Patient,
): Promise<readonly Finding[]> {
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
