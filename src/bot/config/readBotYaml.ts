import { basename } from 'node:path';
import type { Document, Node } from 'yaml';
import type { Env } from '../../base/env.ts';
import { isMap, isNode, isScalar, LineCounter, parseDocument } from '../../base/parts/yaml.ts';
import { isObject } from './parsers.ts';
import { readSmallFile } from './readSmallFile.ts';
import { type Field, strayFields } from './strayFields.ts';

/** Where each variable stands in `bot.yaml`. */
const places: Readonly<Record<string, readonly string[]>> = {
  BOT_ID: ['name'],
  BOT_TYPE: ['type'],
  RUNTIME: ['runtime'],
  ENTRYPOINT: ['entrypoints', 'bot'],
  QUERY_ENTRYPOINT: ['entrypoints', 'query'],
  MESSAGE_ENTRYPOINT: ['entrypoints', 'message'],
  TASK: ['task'],
  WRAP: ['wrap'],
};

interface Shape {
  readonly isOf: (value: unknown) => boolean;
  readonly what: string;
  readonly write: (value: unknown) => string;
}

const text: Shape = { isOf: (value) => typeof value === 'string', what: 'a text', write: String };

/** What is not text in the file, and JSON as a variable. */
const shapes: Readonly<Record<string, Shape>> = {
  TASK: { isOf: isObject, what: 'a mapping', write: (value) => JSON.stringify(value) },
  // `[nice, -n, 5]` is meant as it is written.
  WRAP: {
    isOf: Array.isArray,
    what: 'a list',
    write: (value) => JSON.stringify((value as unknown[]).map(String)),
  },
};

/** … and what is to be told of fields that are not read. */
export interface BotYaml {
  readonly values: Env;
  readonly origins: Env;
  readonly warnings: readonly string[];
}

/** `bot.yaml` as variables. Fields of other tools are left alone; problems and warnings name file and line. */
export function readBotYaml(path: string, problems: string[]): BotYaml {
  const file = basename(path);
  const values: Record<string, string> = {};
  const origins: Record<string, string> = {};
  const source = readSmallFile(path, problems);
  if (source === undefined) return { values, origins, warnings: [] };

  const lines = new LineCounter();
  const document = parseDocument(source, { lineCounter: lines, prettyErrors: false });
  for (const error of document.errors) {
    const { line, col } = lines.linePos(error.pos[0]);
    problems.push(`${file}:${line}:${col}: ${error.message}`);
  }
  if (document.errors.length > 0) return { values, origins, warnings: [] };

  // Otherwise nothing in it would be found, and a guess would run in place of what it means.
  for (const [node, place] of [
    [document.contents, 'the file'],
    [isMap(document.contents) ? document.get('entrypoints', true) : undefined, 'entrypoints'],
  ] as const) {
    if (!isNode(node) || isMap(node) || (isScalar(node) && node.value === null)) continue;
    const { line } = lines.linePos(node.range?.[0] ?? 0);
    problems.push(`${file}:${line}: ${place} is not a mapping`);
  }
  for (const [name, place] of Object.entries(places)) {
    const node = document.getIn(place, true);
    if (!isNode(node)) continue;
    const origin = `${file}:${lines.linePos(node.range?.[0] ?? 0).line}`;
    const value = plain(node, document);
    if (value === null) continue;
    const { isOf, what, write } = shapes[name] ?? text;
    if (isOf(value)) values[name] = write(value);
    else problems.push(`${origin}: ${place.join('.')} is not ${what}`);
    origins[name] = origin;
  }
  // The older file is another tool's, who may have more in it.
  const isOurs = file === 'bot.yaml';
  const fieldsOf = (node: unknown) => (isMap(node) ? node.items.map(({ key }) => fieldOf(key, lines)) : []);
  const fields = {
    fields: fieldsOf(document.contents),
    entrypoints: fieldsOf(document.get('entrypoints', true)),
  };
  return { values, origins, warnings: isOurs ? strayFields(file, fields) : [] };
}

function fieldOf(key: unknown, lines: LineCounter): Field {
  const node = isNode(key) ? key : undefined;
  return { name: String(isScalar(node) ? node.value : key), line: lines.linePos(node?.range?.[0] ?? 0).line };
}

/** Undefined for aliases that lead nowhere or multiply beyond all bounds. */
function plain(node: Node, document: Document): unknown {
  try {
    const value = node.toJS(document);
    // `name: 2024` is meant as it is written.
    return typeof value === 'number' && isScalar(node) ? node.source : value;
  } catch {
    return undefined;
  }
}
