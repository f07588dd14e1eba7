import { readFile, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import * as v from 'valibot';
import type { Document } from 'yaml';
import { systemCode } from '../../../base/errors.ts';
import { isNode, LineCounter, parseDocument } from '../../../base/parts/yaml.ts';
import type { Kind } from '../kind.ts';
import { checkLock } from './checkLock.ts';
import { manifestKind } from './manifestKind.ts';
import { manifestSchema } from './schema.ts';

/** A manifest that is left out: only bots of its kind cannot run. */
export interface BrokenManifest {
  readonly file: string;
  /** Id and aliases, as far as they can be told. */
  readonly names: readonly string[];
  /** The files beside it that it says it needs, as far as they can be told. */
  readonly sources: readonly string[];
  /** Each as `file:line: problem`. */
  readonly problems: readonly string[];
}

export interface LoadedManifests {
  readonly kinds: readonly Kind[];
  readonly broken: readonly BrokenManifest[];
}

const MAX_BYTES = 128 * 1024;

/** The kinds of these files, in their order; of two with one name the first one has it. */
export async function loadManifests(
  files: readonly string[],
  builtIn: readonly Kind[],
): Promise<LoadedManifests> {
  const kinds: Kind[] = [];
  const broken: BrokenManifest[] = [];
  const owners = new Map(builtIn.flatMap((kind) => namesOf(kind).map((name) => [name, 'built in'])));
  for (const file of files) {
    const { kind, names, problems } = await loadManifest(file);
    const taken = names.flatMap((name) => {
      const owner = owners.get(name);
      return owner === undefined ? [] : [`${file}:1: the name ${name} is taken (${owner})`];
    });
    if (kind && problems.length + taken.length === 0) {
      kinds.push(kind);
      for (const name of names) owners.set(name, file);
    } else {
      const sources = kind?.source.slice(1) ?? [];
      broken.push({ file, names, sources, problems: [...problems, ...taken] });
    }
  }
  return { kinds, broken };
}

interface Loaded {
  readonly kind: Kind | undefined;
  readonly names: readonly string[];
  readonly problems: readonly string[];
}

async function loadManifest(file: string): Promise<Loaded> {
  const failed = (text: string, problems: readonly string[]): Loaded => ({
    kind: undefined,
    names: [
      /^id:[ \t]*["']?([A-Za-z0-9][\w.+-]*)/m.exec(text)?.[1] ?? basename(file).replace(/\.ya?ml$/, ''),
    ],
    problems,
  });
  let text: string;
  try {
    const { size } = await stat(file);
    if (size > MAX_BYTES) return failed('', [`${file}:1: it has ${size} bytes, ${MAX_BYTES} at most`]);
    text = await readFile(file, 'utf8');
  } catch (error) {
    return failed('', [`${file}:1: it cannot be read (${systemCode(error) ?? 'unknown error'})`]);
  }
  const problems: string[] = [];
  const kind = parseManifest(file, text, problems);
  if (!kind) return failed(text, problems);
  const [, ...sources] = kind.source;
  return { kind, names: namesOf(kind), problems: await checkLock(file, text, sources) };
}

function namesOf({ id, aliases }: Kind): readonly string[] {
  return [id, ...aliases];
}

function parseManifest(file: string, text: string, problems: string[]): Kind | undefined {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  // What is missing at the very end is missing in the last line that has something.
  const end = text.trimEnd().length;
  const line = (offset: number) => lines.linePos(Math.min(offset, end)).line;
  if (document.errors.length > 0) {
    problems.push(...document.errors.map((error) => `${file}:${line(error.pos[0])}: ${error.message}`));
    return undefined;
  }
  const parsed = v.safeParse(manifestSchema, plain(document));
  if (parsed.success) return manifestKind(parsed.output, file);
  for (const issue of parsed.issues) {
    const path = (issue.path ?? []).map(({ key }) => key);
    const where = path.length === 0 ? '' : `${path.join('.')}: `;
    problems.push(`${file}:${line(offsetOf(document, path))}: ${where}${said(issue)}`);
  }
  return undefined;
}

/** The schema library speaks of keys; whoever has written a manifest, of fields. */
function said({ message, expected, received }: v.BaseIssue<unknown>): string {
  if (!message.startsWith('Invalid key: ')) return message;
  if (expected === 'never') return 'there is no such field';
  return received === 'undefined' ? 'is missing' : message;
}

/** Undefined for aliases that lead nowhere or multiply beyond all bounds: no manifest is like that. */
function plain(document: Document): unknown {
  try {
    return document.toJS({ maxAliasCount: 10 });
  } catch {
    return undefined;
  }
}

/** Where the node stands that the path leads to; for a missing one, the nearest above it. */
function offsetOf(document: Document, path: readonly unknown[]): number {
  for (let length = path.length; length > 0; length--) {
    const node = document.getIn(path.slice(0, length), true);
    if (isNode(node) && node.range) return node.range[0];
  }
  return document.contents?.range?.[0] ?? 0;
}
