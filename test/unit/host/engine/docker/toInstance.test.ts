import { expect, test } from 'vitest';
import type { ContainerDetails } from '../../../../../src/host/engine/docker/containers/container.ts';
import { toInstance } from '../../../../../src/host/engine/docker/containers/toInstance.ts';

const labels = { 'runtime.host': 'h', 'runtime.bot': 'b', 'runtime.role': 'bot', 'runtime.spec': 'x' };
const context = { host: 'h', bootedAt: Date.parse('2026-01-02T00:00:00Z') };

function details(
  state: Partial<ContainerDetails['State']>,
  own: Record<string, string> = labels,
): ContainerDetails {
  return {
    Id: 'id',
    Name: '/rt-b',
    Created: '2026-01-01T00:00:00Z',
    Config: { Labels: own },
    HostConfig: { NetworkMode: 'n' },
    State: {
      Status: 'exited',
      Paused: false,
      OOMKilled: false,
      ExitCode: 0,
      Error: '',
      StartedAt: '2026-01-01T00:00:00Z',
      FinishedAt: '2026-01-01T01:00:00Z',
      ...state,
    },
    NetworkSettings: { Networks: {} },
  };
}
const exitCode = (state: Partial<ContainerDetails['State']>) => toInstance(details(state), context)?.exitCode;

test('255 of one that was running when the machine went down is nobody’s exit code; any other is the bot’s', () => {
  const found = { FinishedAt: '2026-01-02T00:00:30Z' };
  expect(exitCode({ ExitCode: 255, ...found })).toBeUndefined();
  expect(exitCode({ ExitCode: 137, ...found })).toBe(137);
  expect(exitCode({ ExitCode: 255 })).toBe(255);
  expect(exitCode({ ExitCode: 255, ...found, StartedAt: '2026-01-02T00:00:10Z' })).toBe(255);
});

test('a program that ended before the engine noted its start has lasted no time, not less', () => {
  const life = toInstance(details({ FinishedAt: '2025-12-31T23:59:59.999Z' }), context)!;
  expect(life.endedAt).toBe(life.startedAt);
});

test.each([
  ['created', 'created'],
  ['running', 'running'],
  ['paused', 'running'],
  ['restarting', 'running'],
  ['removing', 'leaving'],
  ['exited', 'ended'],
  ['dead', 'ended'],
])('%s is %s', (Status, state) => {
  expect(toInstance(details({ Status }), context)?.state).toBe(state);
});

test.each([
  ['another host', { ...labels, 'runtime.host': 'other' }],
  ['no role that we know', { ...labels, 'runtime.role': 'king' }],
  ['a time that is none', { ...labels, 'runtime.run': 'soon' }],
  ['no label', {}],
])('a container of %s is not ours', (_, own) => {
  expect(toInstance(details({}, own), context)).toBeUndefined();
});
