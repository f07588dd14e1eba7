import type { Env } from '../../base/env.ts';
import { Secret } from '../../base/secret.ts';
import type { Parser } from './parser.ts';
import { anyText } from './parsers.ts';
import { readSecretFile } from './secretFile.ts';
import { type ValueOf, type Variable, type VariableName, variables } from './variables.ts';

/** Reads variables one by one and keeps what is wrong with them, so that all of it is reported together. */
export class VariableReader {
  readonly problems: string[] = [];
  readonly #env: Env;
  readonly #origins: Env;

  /** `origins`: where a value came from, for those that are not environment variables: `bot.yaml:3`. */
  constructor(env: Env, origins: Env = {}) {
    this.#env = env;
    this.#origins = origins;
  }

  /** The value, the default, or undefined; after a problem, what the type needs for reading to go on. */
  read<Name extends VariableName>(name: Name): ValueOf<Name> {
    const variable: Variable<unknown, string | undefined> = variables[name];
    const text = this.text(name);
    const value = text === undefined ? undefined : variable.parser.parse(text);
    if (text !== undefined && value === undefined) this.#unacceptable(name, variable, text);
    const fallback = variable.default === undefined ? undefined : variable.parser.parse(variable.default);
    return (value ?? fallback) as ValueOf<Name>;
  }

  /** As `read`, through another parser: what is acceptable depends on other variables. */
  readAs<T>(name: VariableName, parser: Parser<T>): T | undefined {
    const text = this.text(name);
    const value = text === undefined ? undefined : parser.parse(text);
    if (text !== undefined && value === undefined) {
      this.#unacceptable(name, { ...variables[name], parser }, text);
    }
    return value;
  }

  /** The variable, or the content of the file that `<name>_FILE` names. */
  secret(name: VariableName): Secret | undefined {
    const text = this.text(name);
    const file = this.text(`${name}_FILE`);
    if (file === undefined) return text === undefined ? undefined : new Secret(text);
    if (text !== undefined) {
      this.problem(`${name} and ${name}_FILE are both set, expected one of them`);
      return undefined;
    }
    const content = readSecretFile(file);
    if (content instanceof Secret) return content;
    this.problem(`${name}_FILE=${quote(file)} ${content.problem}`);
    return undefined;
  }

  /** Reads the same variables, and the files that they name, as they are now. */
  again(): VariableReader {
    return new VariableReader(this.#env, this.#origins);
  }

  /** Whether it is set; an empty variable is not. */
  has(name: string): boolean {
    return this.text(name) !== undefined;
  }

  /** Whether it is set, itself or by `<name>_FILE`. */
  hasSecret(name: string): boolean {
    return this.has(name) || this.has(`${name}_FILE`);
  }

  text(name: string): string | undefined {
    return this.#env[name] || undefined;
  }

  missing(name: VariableName): void {
    const { parser, meaning } = variables[name];
    this.problem(`${name} is not set: ${meaning}${parser === anyText ? '' : `, ${parser.expects}`}`);
  }

  /** One line. Values in it must be quoted. */
  problem(line: string): void {
    this.problems.push(line);
  }

  #unacceptable(name: VariableName, variable: Variable<unknown, string | undefined>, text: string): void {
    const value = variable.shown === 'value' ? `=${quote(text)}` : '';
    const origin = this.#origins[name];
    const from = origin === undefined ? '' : ` (from ${origin})`;
    this.problem(`${name}${value}${from} is not valid, expected ${variable.parser.expects}`);
  }
}

/** On one line, at most 100 characters, without what a URL may hold of secrets: user, password, query. */
export function quote(value: string): string {
  const shown = value.replace(/^([a-z0-9+.-]+:\/\/)?.*@/is, '$1…@').replace(/(:\/\/[^?]*)\?.*/s, '$1?…');
  return JSON.stringify(shown.length > 100 ? `${shown.slice(0, 99)}…` : shown);
}
