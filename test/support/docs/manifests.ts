import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';

const docs = join(import.meta.dirname, '../../../docs');

export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly [field: string]: unknown;
}

/** The manifests of Kubernetes in the documentation, by the page that each is in. */
export function manifestsOfDocs(): { readonly page: string; readonly manifest: Manifest }[] {
  return readdirSync(docs)
    .filter((name) => name.endsWith('.md'))
    .flatMap((page) =>
      [...readFileSync(join(docs, page), 'utf8').matchAll(/```yaml\n(apiVersion:[\s\S]*?)```/g)].map(
        ([, text = '']) => ({ page, manifest: parse(text) as Manifest }),
      ),
    );
}
