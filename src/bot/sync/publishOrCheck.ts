import type { Publisher, PublishOptions } from '../state/publish/publisher.ts';
import type { PublishReport } from '../state/publish/publishReport.ts';

/**
 * Publishes what has changed. A bot that changes nothing would never learn that another instance has taken over, nor that its
 * saved state is gone: then the generation is checked, and what is missing published again.
 */
export async function publishOrCheck(
  publisher: Publisher,
  options: PublishOptions,
): Promise<PublishReport | undefined> {
  const report = await publisher.publish(options);
  if (report || (await publisher.checkGeneration(options))) return report;
  return await publisher.publish(options);
}
