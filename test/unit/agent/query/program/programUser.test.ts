import { expect, test } from 'vitest';
import { programUser } from '../../../../../src/agent/query/program/programUser.ts';

test('is never the bot, nor root', () => {
  expect(programUser({ uid: 1000, gid: 1000 }, true)).toEqual({ uid: 1001, gid: 1000 });
  expect(programUser({ uid: 1000, gid: 1000 }, false)).toEqual({ uid: 1001, gid: 1001 });
  expect(programUser({ uid: 0, gid: 0 }, false)).toEqual({ uid: 1, gid: 1 });
  expect(programUser({ uid: 0xffff_fffe, gid: 5 }, true)).toEqual({ uid: 0xffff_fffd, gid: 5 });
});

test('is whoever we are where we are not root', () => {
  expect(programUser(undefined, false)).toBeUndefined();
});
