import { build } from '../base/build.ts';
import type { Box } from './box.ts';
import { answerJson } from './http/answer.ts';
import type { Route } from './http/exchange.ts';

/** Whether it lives, which everybody may ask. */
export function healthRoutes({ clock }: Box): readonly Route[] {
  const begun = clock.now();
  const timestamp = () => new Date(clock.now()).toISOString();
  return [
    {
      method: 'GET',
      path: '/health',
      open: true,
      handle: ({ response }) =>
        answerJson(response, 200, { status: 'ok', backends: [], timestamp: timestamp() }),
    },
    {
      method: 'GET',
      path: '/health/detailed',
      handle: ({ response }) => {
        const { rss, heapUsed } = process.memoryUsage();
        answerJson(response, 200, {
          status: 'healthy',
          version: build.version,
          timestamp: timestamp(),
          uptime: (clock.now() - begun) / 1000,
          memory: { rss, heapUsed },
          process: { pid: process.pid },
        });
      },
    },
    {
      method: 'GET',
      path: '/metrics/json',
      handle: ({ response }) => {
        const { user, system } = process.cpuUsage();
        const memoryBytes = process.memoryUsage.rss();
        answerJson(response, 200, { process: { memoryBytes, cpuSeconds: (user + system) / 1e6 } });
      },
    },
  ];
}
