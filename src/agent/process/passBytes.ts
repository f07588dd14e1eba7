/**
 * The command that gives a program `variables` (`NAME=value`, not UTF-8) byte for byte: Node makes text of what it passes on. A shell,
 * which becomes the program, makes the bytes. Only those that `env` has, as whoever made that left some out.
 */
export function passBytes(
  argv: readonly string[],
  env: Readonly<Record<string, string>>,
  variables: readonly Buffer[],
): readonly string[] {
  const changed = variables.filter((bytes) => {
    const [name = ''] = bytes.toString().split('=', 1);
    return env[name] === bytes.toString().slice(name.length + 1);
  });
  if (changed.length === 0) return argv;
  // A shell drops the line ends behind what it takes over, and variables whose names it would not allow.
  const odd = Object.entries(env).filter(([name]) => !/^[A-Za-z_]\w*$/.test(name));
  const all = [...odd.map(([name, value]) => Buffer.from(`${name}=${value}`)), ...changed];
  const lines = all.map((variable) => `v=$(printf '${octal(variable)}.'); set -- "\${v%.}" "$@"`);
  return ['/bin/sh', '-c', `${lines.join('\n')}\nexec env "$@"`, 'sh', ...argv];
}

const octal = (bytes: Buffer): string =>
  [...bytes].map((byte) => `\\${byte.toString(8).padStart(3, '0')}`).join('');
