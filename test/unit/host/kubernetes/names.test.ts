import fc from 'fast-check';
import { expect, test } from 'vitest';
import { objectName } from '../../../../src/host/kubernetes/names.ts';

const bots = fc.stringMatching(/^[A-Za-z0-9._-]{1,128}$/);

test('a bot whose id fits is called by it', () => {
  expect(objectName('rt-', 'momentum-1')).toBe('rt-momentum-1');
  expect(objectName('rt-record-', 'Momentum_1')).toMatch(/^rt-record-momentum-1-[0-9a-f]{10}$/);
});

test('every id has a name that Kubernetes takes', () => {
  fc.assert(
    fc.property(bots, (bot) => {
      const name = objectName('rt-', bot);
      expect(name).toMatch(/^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/);
      expect(name.length).toBeLessThanOrEqual(63);
    }),
  );
});

test('two ids never have the same, not even one that looks like the name of another', () => {
  fc.assert(
    fc.property(bots, bots, (one, other) => {
      fc.pre(one !== other);
      expect(objectName('rt-', one)).not.toBe(objectName('rt-', other));
    }),
  );
  const hashed = objectName('', 'A');
  expect(objectName('', hashed)).not.toBe(hashed);
});
