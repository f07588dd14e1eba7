import { answerJson } from './http/answer.ts';
import type { Route } from './http/exchange.ts';

/** What a box can do; what is not named here it does not offer. Sessions are those of the server before it. */
const capabilities = {
  schema: 1,
  commands: { separateOutputs: true, timeouts: true },
  files: { archives: true, absolutePaths: true },
  processes: { executables: true, logsFromBeginning: true, eventReplay: true },
  terminals: { http: true, resize: true, eventReplay: true, webSocket: true },
  search: true,
  ports: true,
};

export const capabilitiesRoute: Route = {
  method: 'GET',
  path: '/capabilities',
  handle: ({ response }) => answerJson(response, 200, capabilities),
};
