import { expect, test } from 'vitest';
import { type Manifest, manifestsOfDocs } from '../support/docs/manifests.ts';
import { pythonWith } from '../support/process/pythonWith.ts';

const validated = async (manifests: readonly object[]): Promise<(string | null)[]> =>
  JSON.parse(
    await pythonWith('kubernetes-validate==1.37.0', 'kubernetes-validate.py', { version: '1.34', manifests }),
  ) as (string | null)[];

// test/kubernetes/recipes.test.ts runs them, where there is a cluster.
test('every manifest of the documentation is valid, and one with a wrong field is not', {
  timeout: 300_000,
}, async () => {
  const all = manifestsOfDocs();
  const kinds = all.map(({ page, manifest }) => `${page}: ${manifest.kind}`);
  expect(kinds).toEqual(expect.arrayContaining(['recipes.md: StatefulSet', 'recipes.md: CronJob']));
  const own = all.filter(({ manifest }) => !manifest.apiVersion.startsWith('runtime.bots/'));
  const wrong: Manifest = { ...own[0]!.manifest, spec: { ...(own[0]!.manifest.spec as object), replica: 1 } };
  const found = await validated([...own.map(({ manifest }) => manifest), wrong]);
  expect(found.slice(0, -1)).toEqual(own.map(() => null));
  expect(found.at(-1)).toContain('replica');
});
