import type { AddressInfo } from 'node:net';
import { answerData } from '../http/answer.ts';
import type { Route } from '../http/exchange.ts';
import { forwardPort } from './forwardPort.ts';
import { listeners } from './listeners.ts';

/** What listens inside. */
export const portRoutes: readonly Route[] = [
  {
    method: 'GET',
    path: '/ports',
    handle: ({ request, response }) => {
      const own = (request.socket.address() as AddressInfo).port;
      answerData(response, { ports: listeners().filter(({ port }) => port !== own) });
    },
  },
  { method: 'ALL', path: '/ports/*', handle: forwardPort },
];
