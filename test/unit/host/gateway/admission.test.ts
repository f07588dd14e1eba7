import { expect, test } from 'vitest';
import { Admission } from '../../../../src/host/gateway/admission.ts';

test('a bot has its limit, all together have theirs, and whoever leaves makes room once', () => {
  const admission = new Admission({ perBot: 2, inAll: 3 });
  const leaveA = admission.enter('a');
  admission.enter('a');
  expect(() => admission.enter('a')).toThrow(
    expect.objectContaining({ status: 503, headers: { 'retry-after': '1' } }),
  );
  admission.enter('b');
  expect(() => admission.enter('c')).toThrow('too many queries at once');
  leaveA();
  leaveA();
  expect(admission.inFlight).toBe(2);
  admission.enter('c');
  expect(() => admission.enter('c')).toThrow('too many queries at once');
});
