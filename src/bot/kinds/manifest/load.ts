import { readFile } from 'node:fs/promises';
import * as v from 'valibot';
import type { Document } from 'yaml';
import { RuntimeError } from '../../../base/errors.ts';
import { isNode, LineCounter, parseDocument } from '../../../base/parts/yaml.ts';
import type { Kind } from '../kind.ts';
import { manifestKind } from './manifestKind.ts';
import { manifestSchema } from './schema.ts';

/** The kinds of these files; `config` with every problem of every file, each as `file:line: problem`. */
export async function loadManifests(
  files: readonly string[],
  builtIn: readonly Kind[],
): Promise<readonly Kind[]> {
  const problems: string[] = [];
  const kinds: Kind[] = [];
  const owners = new Map(
    builtIn.flatMap((kind) => [kind.id, ...kind.aliases].map((name) => [name, 'built in'])),
  );
  for (const file of files) {
    const kind = parseManifest(file, await readFile(file, 'utf8'), problems);
    if (!kind) continue;
    for (const name of [kind.id, ...kind.aliases]) {
      const owner = owners.get(name);
      if (owner !== undefined) problems.push(`${file}:1: the name ${name} is taken (${owner})`);
      owners.set(name, file);
    }
    kinds.push(kind);
  }
  if (problems.length > 0) {
    throw new RuntimeError('config', 'a manifest of a kind is wrong:', {
      problems,
      hint: 'See "Kinds from manifests" in docs/kinds.md.',
    });
  }
  return kinds;
}

function parseManifest(file: string, text: string, problems: string[]): Kind | undefined {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const line = (offset: number) => lines.linePos(offset).line;
  if (document.errors.length > 0) {
    problems.push(...document.errors.map((error) => `${file}:${line(error.pos[0])}: ${error.message}`));
    return undefined;
  }
  const parsed = v.safeParse(manifestSchema, document.toJS({ maxAliasCount: 10 }));
  if (parsed.success) return manifestKind(parsed.output, file);
  for (const issue of parsed.issues) {
    const path = (issue.path ?? []).map(({ key }) => key);
    const where = path.length === 0 ? '' : `${path.join('.')}: `;
    problems.push(`${file}:${line(offsetOf(document, path))}: ${where}${issue.message}`);
  }
  return undefined;
}

/** Where the node stands that the path leads to; for a missing one, the nearest above it. */
function offsetOf(document: Document, path: readonly unknown[]): number {
  for (let length = path.length; length > 0; length--) {
    const node = document.getIn(path.slice(0, length), true);
    if (isNode(node) && node.range) return node.range[0];
  }
  return document.contents?.range?.[0] ?? 0;
}
