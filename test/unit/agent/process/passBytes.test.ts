import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { passBytes } from '../../../../src/agent/process/passBytes.ts';

test('variables that are not UTF-8 arrive byte for byte, and no other is touched', () => {
  const bytes = (text: string) => Buffer.from(text, 'latin1');
  const value = "it's \xff\xfe 100% $HOME `x` \\n\n\n";
  const variables = [bytes(`RAW=${value}`), bytes('WITHHELD=\xff')];
  const env = { RAW: bytes(value).toString(), UTF: 'grüße', 'odd.name': 'kept\n', PATH: '/usr/bin:/bin' };
  const argv = passBytes(['/usr/bin/env', '-0'], env, variables);
  const seen = execFileSync(argv[0]!, argv.slice(1), { env }).toString('latin1').split('\0');
  expect(seen).toEqual(
    expect.arrayContaining([`RAW=${value}`, 'UTF=gr\xc3\xbc\xc3\x9fe', 'odd.name=kept\n']),
  );
  expect(seen.some((variable) => variable.startsWith('WITHHELD'))).toBe(false);
  expect(passBytes(['x'], { UTF: 'grüße' }, variables)).toEqual(['x']);
});
