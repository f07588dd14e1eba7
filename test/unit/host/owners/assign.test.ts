import { expect, test } from 'vitest';
import { assign, withoutHosts } from '../../../../src/host/owners/assign.ts';
import { nobody, type OwnerHost, ownerOf, type Table } from '../../../../src/host/owners/owners.ts';

const host = (key: string, engine: string): OwnerHost => ({
  key,
  host: key,
  engine,
  machine: 'm',
  name: key,
});
const [a1, a2, b] = [host('a1', 'a'), host('a2', 'a'), host('b', 'b')];
const never = () => false;
const takes = (me: OwnerHost, table: Table, isGone: (one: OwnerHost) => boolean = never) =>
  assign(table, me, { take: ['x'], leave: [], isGone });
const leaves = (me: OwnerHost, table: Table) => assign(table, me, { take: [], leave: ['x'], isGone: never });

test('a bot of two hosts on one engine is free for another engine once both have given it up', () => {
  const both = takes(a2, takes(a1, nobody)!)!;
  expect(both.owners.get('x')).toEqual(['a1', 'a2']);
  expect(takes(b, both)).toBeUndefined();
  const one = leaves(a1, both)!;
  expect(ownerOf(one, 'x')).toEqual(a2);
  expect([...one.hosts.keys()]).toEqual(['a2']);
  expect(takes(b, one)).toBeUndefined();
  expect(takes(b, leaves(a2, one)!)!.owners.get('x')).toEqual(['b']);
});

test('what only gone hosts have is taken, and not what one of two that live has', () => {
  const both = takes(a2, takes(a1, nobody)!)!;
  expect(takes(b, both, ({ key }) => key === 'a1')).toBeUndefined();
  expect(takes(b, both, () => true)!.owners.get('x')).toEqual(['b']);
  expect(ownerOf(withoutHosts(both, new Set(['a1']))!, 'x')).toEqual(a2);
  expect(withoutHosts(both, new Set(['a1', 'a2']))).toEqual(nobody);
  expect(withoutHosts(both, new Set(['b']))).toBeUndefined();
});
