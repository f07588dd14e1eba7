import { isUtf8 } from 'node:buffer';
import { readFileSync } from 'node:fs';

/**
 * The command that gives a program those variables of our own environment that are not UTF-8, byte for byte: Node makes text of what
 * it passes on. A shell, which becomes the program, makes the bytes. Only variables that `env` has, as whoever made that left some out.
 */
export function passBytes(
  argv: readonly string[],
  env: Readonly<Record<string, string>>,
  environ: Buffer = readFileSync('/proc/self/environ'),
): readonly string[] {
  const changed: string[] = [];
  for (const variable of environ.toString('latin1').split('\0')) {
    const bytes = Buffer.from(variable, 'latin1');
    const [name = ''] = bytes.toString().split('=', 1);
    const value = bytes.toString().slice(name.length + 1);
    if (!isUtf8(bytes) && env[name] === value) changed.push(variable);
  }
  if (changed.length === 0) return argv;
  // A shell drops the line ends behind what it takes over, and variables whose names it would not allow.
  const odd = Object.entries(env).filter(([name]) => !/^[A-Za-z_]\w*$/.test(name));
  const all = [...odd.map(([name, value]) => Buffer.from(`${name}=${value}`).toString('latin1')), ...changed];
  const lines = all.map((variable) => `v=$(printf '${octal(variable)}.'); set -- "\${v%.}" "$@"`);
  return ['/bin/sh', '-c', `${lines.join('\n')}\nexec env "$@"`, 'sh', ...argv];
}

const octal = (latin1: string): string =>
  [...latin1].map((byte) => `\\${byte.charCodeAt(0).toString(8).padStart(3, '0')}`).join('');
