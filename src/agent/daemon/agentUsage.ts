import { existsSync } from 'node:fs';
import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../base/log.ts';
import type { Config } from '../../bot/config/config.ts';
import type { Stores } from '../../store/openStores.ts';
import { usageFolder } from '../ledger/usageFolder.ts';

export interface UsageOptions {
  readonly config: Config;
  readonly stores: Stores;
  readonly clock: Clock;
  readonly log: Logger;
}

export interface AgentUsage {
  /** Ships the usage that there is; does nothing where the bot is no agent. */
  ship(signal?: AbortSignal): Promise<void>;
  /** Ships the rest, as far as one attempt can. */
  close(): Promise<void>;
}

/**
 * An agent's usage in the process that saves. The agent's query server keeps a ledger and makes the folder for it (`usageFolder`). By that
 * folder this process knows an agent, in a sidecar, too.
 */
export function agentUsage({ config, stores, clock, log }: UsageOptions): AgentUsage {
  const { paths, botId: bot, telemetry } = config;
  const dir = usageFolder(paths.logs);
  let opened: Promise<{ ship(signal?: AbortSignal): Promise<void>; close(): Promise<void> }> | undefined;

  const open = async () => {
    const { createUsageShipper, startTelemetry } = await import('../ledger/parts/usage.ts');
    const days = { store: await stores.open('logs'), bot, dir };
    const shipper = createUsageShipper(days);
    const receiver = telemetry && { url: telemetry.url, token: telemetry.token?.reveal() };
    const told =
      telemetry && receiver && startTelemetry({ ...days, receiver, format: telemetry.format, clock, log });
    return { ship: shipper.ship, close: async () => await told?.close() };
  };

  return {
    ship: async (signal) => {
      if (!opened && !existsSync(dir)) return;
      opened ??= open();
      await (await opened).ship(signal);
    },
    close: async () => await (await opened)?.close(),
  };
}
