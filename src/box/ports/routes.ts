import type { AddressInfo } from 'node:net';
import { answerData } from '../http/answer.ts';
import type { Route } from '../http/exchange.ts';
import { listeners } from './listeners.ts';

/** What listens inside, but for ourselves. */
export const portsRoute: Route = {
  method: 'GET',
  path: '/ports',
  handle: ({ request, response }) => {
    const own = (request.socket.address() as AddressInfo).port;
    answerData(response, { ports: listeners().filter(({ port }) => port !== own) });
  },
};
