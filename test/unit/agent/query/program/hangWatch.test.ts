import { expect, test } from 'vitest';
import { HangWatch } from '../../../../../src/agent/query/program/hangWatch.ts';

const S = 1000;

test('three time-outs one after the other and a minute of silence are a hang', () => {
  const watch = new HangWatch();
  expect(watch.timedOut(0, 30 * S)).toBe(false);
  expect(watch.timedOut(30 * S, 60 * S)).toBe(false);
  expect(watch.timedOut(60 * S, 90 * S)).toBe(true);
});

test('short time-outs need their minute', () => {
  const watch = new HangWatch();
  const hung = Array.from({ length: 61 }, (_, at) => watch.timedOut(at * S, (at + 1) * S));
  expect(hung.indexOf(true)).toBe(59);
});

test('queries that waited together count once', () => {
  const watch = new HangWatch();
  for (let n = 0; n < 64; n += 1) expect(watch.timedOut(n, 70 * S + n)).toBe(false);
});

test('a program that answers others is slow, not hung', () => {
  const watch = new HangWatch();
  for (let at = 0; at < 600 * S; at += 30 * S) {
    watch.answered(at + S);
    expect(watch.timedOut(at, at + 30 * S)).toBe(false);
  }
});

test('a query that was asked before the last answer says nothing, however late it times out', () => {
  const watch = new HangWatch();
  watch.answered(100 * S);
  // Counted, this would be the first of three.
  expect(watch.timedOut(10 * S, 110 * S)).toBe(false);
  expect(watch.timedOut(110 * S, 140 * S)).toBe(false);
  expect(watch.timedOut(140 * S, 171 * S)).toBe(false);
  expect(watch.timedOut(171 * S, 201 * S)).toBe(true);
});

test('an answer begins the count anew', () => {
  const watch = new HangWatch();
  expect(watch.timedOut(0, 30 * S)).toBe(false);
  expect(watch.timedOut(30 * S, 60 * S)).toBe(false);
  watch.answered(60 * S);
  expect(watch.timedOut(60 * S, 90 * S)).toBe(false);
  expect(watch.timedOut(90 * S, 120 * S)).toBe(false);
  expect(watch.timedOut(120 * S, 150 * S)).toBe(true);
});
