import { basename } from 'node:path';
import { outputKey } from './outputKey.ts';
import { matching, type Parser } from './parser.ts';
import { insidePath, isObject, objectKey, sha256 } from './parsers.ts';
import type { Task, TaskInput, TaskOutput } from './task.ts';
import { quote, type VariableReader } from './variableReader.ts';

/**
 * The task that `TASK` declares. What is wrong goes to the
 * reader, one line each.
 */
export function readTask(reader: VariableReader, botId: string): Task {
  const declared = reader.read('TASK') ?? {};
  const fields = new Fields(reader, 'TASK', declared, ['name', 'inputs', 'outputs', 'args']);
  const name = fields.read('name', taskName) ?? botId;
  const inputs = fields.list('inputs').map((place, at) => readInput(reader, `TASK.inputs[${at}]`, place));
  const outputs = fields
    .list('outputs')
    .map((place, at) => readOutput(reader, `TASK.outputs[${at}]`, place, botId));
  unique(
    reader,
    'id',
    [...inputs, ...outputs].map(({ id }) => id),
  );
  unique(
    reader,
    'path of an input with a key',
    inputs.map(({ key, path }) => (key === undefined ? undefined : path)),
  );
  unique(
    reader,
    'key of an output',
    outputs.map(({ key }) => key),
  );
  unique(
    reader,
    'path of an output',
    outputs.map(({ path }) => path),
  );
  apart(
    reader,
    outputs.flatMap(({ key }) => key ?? []),
  );
  const args = fields.list('args').map((word, at) => readWord(reader, `TASK.args[${at}]`, word));
  return { name, inputs, outputs, args };
}

const taskName: Parser<string> = matching('1 to 256 characters on one line', /^\P{Cc}{1,256}$/u);

const fileId: Parser<string> = matching(
  'a letter or "_", then letters, digits, "_" or "-", and not "task"',
  /^(?!task$)[A-Za-z_][A-Za-z0-9_-]*$/,
);

function readInput(reader: VariableReader, place: string, declared: unknown): TaskInput {
  const fields = new Fields(reader, place, declared, ['id', 'path', 'key', 'value', 'sha256']);
  const id = fields.required('id', fileId);
  const key = fields.read('key', objectKey);
  const given = fields.read('path', insidePath);
  const digest = fields.read('sha256', sha256);
  const isValue = fields.has('value');
  if (!isValue && !fields.has('key') && !fields.has('path')) {
    reader.problem(`${place} has neither path nor key nor value, expected one of them`);
  }
  if (isValue && ['key', 'path', 'sha256'].some((name) => fields.has(name))) {
    reader.problem(`${place} has a value and a file, expected one of them`);
  }
  if (isValue && JSON.stringify(fields.value('value')).includes('\\u0000')) {
    reader.problem(`${place}.value holds a null character, expected text that a command line can hold`);
  }
  if (isValue)
    return { id, path: undefined, key: undefined, sha256: undefined, value: fields.value('value') };
  // Under .runtime, so that a bot that runs in its own directory gets no files beside its code.
  const path = given ?? `.runtime/inputs/${id}/${basename(key ?? '')}`;
  return { id, path, key, sha256: digest, value: undefined };
}

function readWord(reader: VariableReader, place: string, declared: unknown): string {
  if (typeof declared === 'string' && !declared.includes('\0')) return declared;
  if (typeof declared === 'number' || typeof declared === 'boolean') return String(declared);
  reader.problem(`${place} is not a text, expected a word for the script`);
  return '';
}

function readOutput(reader: VariableReader, place: string, declared: unknown, bot: string): TaskOutput {
  const fields = new Fields(reader, place, declared, ['id', 'path', 'key']);
  return {
    id: fields.required('id', fileId),
    path: fields.required('path', insidePath),
    key: fields.read('key', outputName(bot)),
  };
}

/** The whole key has to be one that stores take. */
function outputName(bot: string): Parser<string> {
  return {
    expects: `${objectKey.expects}, at most 1024 bytes after ${outputKey(bot, '')}`,
    parse: (text) => (objectKey.parse(outputKey(bot || '-', text)) === undefined ? undefined : text),
  };
}

/** The fields of one object of the declaration, checked one by one. */
class Fields {
  readonly #reader: VariableReader;
  readonly #place: string;
  readonly #values: Readonly<Record<string, unknown>>;

  constructor(reader: VariableReader, place: string, declared: unknown, known: readonly string[]) {
    this.#reader = reader;
    this.#place = place;
    this.#values = isObject(declared) ? declared : {};
    if (!isObject(declared)) reader.problem(`${place} is not an object, expected ${known.join(', ')}`);
    for (const name of Object.keys(this.#values)) {
      if (!known.includes(name)) {
        reader.problem(`${place} has the unknown field ${quote(name)}, expected ${known.join(', ')}`);
      }
    }
  }

  has(name: string): boolean {
    return this.#values[name] !== undefined && this.#values[name] !== null;
  }

  value(name: string): unknown {
    return this.#values[name];
  }

  read(name: string, parser: Parser<string>): string | undefined {
    const value = this.#values[name];
    if (!this.has(name)) return undefined;
    const parsed = typeof value === 'string' ? parser.parse(value) : undefined;
    if (parsed === undefined) {
      const shown = quote(typeof value === 'string' ? value : JSON.stringify(value));
      this.#reader.problem(`${this.#place}.${name}=${shown} is not valid, expected ${parser.expects}`);
    }
    return parsed;
  }

  required(name: string, parser: Parser<string>): string {
    if (!this.has(name))
      this.#reader.problem(`${this.#place}.${name} is missing, expected ${parser.expects}`);
    return this.read(name, parser) ?? '';
  }

  list(name: string): readonly unknown[] {
    const value = this.has(name) ? this.#values[name] : [];
    if (Array.isArray(value)) return value;
    this.#reader.problem(`${this.#place}.${name} is not a list`);
    return [];
  }
}

/** Stores differ in what they make of `a` beside `a/b`. */
function apart(reader: VariableReader, keys: readonly string[]): void {
  for (const key of keys) {
    const longer = keys.find((other) => other.startsWith(`${key}/`));
    if (longer !== undefined) {
      reader.problem(
        `TASK has the keys of outputs ${quote(key)} and ${quote(longer)}, expected no key to continue another`,
      );
    }
  }
}

function unique(reader: VariableReader, what: string, values: readonly (string | undefined)[]): void {
  const seen = values.filter((value) => value !== undefined && value !== '');
  for (const value of new Set(seen.filter((value, at) => seen.indexOf(value) !== at))) {
    reader.problem(`TASK uses the ${what} ${quote(value ?? '')} twice, expected it once`);
  }
}
