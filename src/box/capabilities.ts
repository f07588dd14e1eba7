import { build } from '../base/build.ts';
import { answerJson } from './http/answer.ts';
import type { Route } from './http/exchange.ts';

/** What a box can do; what is not named here it does not offer. Sessions are those of the server before it. */
const capabilities = {
  schema: 1,
  sidecarVersion: build.version,
  cliAuthReferences: false,
  // Of messages to an agent, which the server before this one keeps: its streams are replayed, the rest is not offered.
  dispatch: { runControlRef: false, executionIdOnAdmission: false },
  cancel: { canonicalRunCancellation: false, digestBound: false, idempotent: false },
  runs: { executionScopedStatus: false, eventReplay: true },
  interactions: {},
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
