import type { LaunchRequest } from '../../../src/bot/kinds/kind.ts';

/** What a bot asks to be launched with; tests say what matters to them. */
export function kindRequest(
  codePath: string,
  entrypoint: string,
  more: Partial<LaunchRequest> = {},
): LaunchRequest {
  return {
    role: 'bot',
    botId: 'bot-1',
    botConfig: '{"pair":"BTC/USD"}',
    botType: 'scheduled',
    entrypoint,
    codePath,
    stateDir: '/state/.the0-state',
    task: {
      name: 'nightly',
      inputs: [
        { id: 'prices-csv', path: 'data/prices.csv', key: undefined, sha256: undefined, value: undefined },
      ],
      outputs: [{ id: 'report', path: 'out/report.txt', key: undefined }],
      args: [],
    },
    ...more,
  };
}
