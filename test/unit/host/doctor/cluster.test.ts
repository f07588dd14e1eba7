import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { clusterRights } from '../../../../src/host/doctor/cluster.ts';

const manifests = join(import.meta.dirname, '../../../../deploy/manifests/runtime.yaml');

interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
}

test('doctor asks for each right of the chart’s Role and no other, but for those on Bots', async () => {
  const all = parseAllDocuments(await readFile(manifests, 'utf8')).map((document) => document.toJS());
  const rules: Rule[] = all.find(({ kind }) => kind === 'Role').rules;
  const granted = rules
    .filter(({ apiGroups }) => !apiGroups.includes('runtime.bots'))
    .flatMap(({ apiGroups, resources, verbs }) =>
      apiGroups.flatMap((group) => resources.flatMap((kind) => verbs.map((verb) => [group, kind, verb]))),
    );
  const asked = clusterRights.flatMap(([group, kind, verbs]) => verbs.map((verb) => [group, kind, verb]));
  expect(asked.map(String).sort()).toEqual(granted.map(String).sort());
});
