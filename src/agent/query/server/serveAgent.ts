import type { Clock } from '../../../base/clock.ts';
import type { Logger } from '../../../base/log.ts';
import type { AgentConfig, Config } from '../../../bot/config/config.ts';
import type { Kind } from '../../../bot/kinds/kind.ts';
import { openLedger } from '../../ledger/openLedger.ts';
import { usageFolder } from '../../ledger/usageFolder.ts';
import { openLink } from '../../links/openLink.ts';
import type { ToAgentServer } from '../../process/agentMessages.ts';
import { answerAgent } from '../../turns/http/routes.ts';
import { openAgent } from '../../turns/openAgent.ts';
import type { ServedAgent } from './servedAgent.ts';
import type { ServerLink } from './serverLink.ts';

export interface ServeAgentOptions {
  readonly config: Config;
  readonly agent: AgentConfig;
  readonly kind: Kind;
  readonly link: ServerLink;
  readonly clock: Clock;
  readonly log: Logger;
}

/** The turns of an agent, put between who asks and the supervisor that keeps its process. Throws `unsaved` where they cannot be kept. */
export async function serveAgent({
  config,
  agent,
  kind,
  link,
  clock,
  log,
}: ServeAgentOptions): Promise<ServedAgent> {
  const server = await openAgent({
    config,
    agent,
    clock,
    log,
    openLink: (options, { endpoint }) =>
      openLink({ kind, bot: config.botId, cwd: config.paths.code, endpoint }, options),
    ledger: await openLedger({ dir: usageFolder(config.paths.logs), clock }),
    say: (text) => link.tell({ type: 'say', text }),
    askRestart: (id, save) => void link.tell({ type: 'restart', id, save }),
    lastPublish: link.lastPublish,
    unsaved: link.unsaved,
  });
  const { life, restarts } = server;

  const take = (message: ToAgentServer) => {
    switch (message.type) {
      case 'agent':
        if (message.life && message.life.instance !== life.instance) life.begin(message.life);
        restarts.settle(message.restart?.id);
        if (message.restart) restarts.report(message.restart);
        break;
      case 'said':
        life.hear(message.text);
        break;
      case 'restart-report':
        if (message.report.phase === 'saving') life.end('it was stopped for a restart');
        restarts.report(message.report);
        break;
      case 'agent-stopping':
        server.stopping();
        break;
      case 'agent-ended':
        void server.ended(message.how).then(() => link.tell({ type: 'settled' }));
        break;
    }
  };
  link.listen(take);
  return {
    answer: (request, response) => answerAgent(server, request, response, server.closing),
    notReady: () => {
      const { ready, status, reason } = server.health();
      return ready ? undefined : `the agent is ${status}${reason === undefined ? '' : `: ${reason}`}`;
    },
    close: () => server.close(),
  };
}
