import { RuntimeError } from '../../../../base/errors.ts';

export interface Subnet {
  readonly subnet: string;
  readonly gateway: string;
}

/** Every /24 of a pool, in order. Throws `config` for what is not a pool. */
export function* subnets(pool: string): Generator<Subnet> {
  const match = /^(\d+)\.(\d+)\.(\d+)\.(\d+)\/(\d+)$/.exec(pool);
  const [a = 256, b = 256, c = 256, d = 256, bits = 33] = (match?.slice(1) ?? []).map(Number);
  if ([a, b, c, d].some((byte) => byte > 255) || bits < 8 || bits > 24)
    throw new RuntimeError('config', `${JSON.stringify(pool)} is not a pool of networks`, {
      hint: 'Expected an IPv4 network of 8 to 24 bits, as 10.231.0.0/16.',
    });
  const count = 2 ** (24 - bits);
  const first = Math.floor((a * 65_536 + b * 256 + c) / count) * count;
  for (let net = first; net < first + count; net += 1) {
    const begin = `${net >> 16}.${(net >> 8) & 255}.${net & 255}`;
    yield { subnet: `${begin}.0/24`, gateway: `${begin}.1` };
  }
}
