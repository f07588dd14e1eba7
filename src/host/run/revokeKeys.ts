import type { Credentials } from '../credentials/credentials.ts';
import type { Loop } from '../loop/loop.ts';

/** Keys of a bot that is gone are neither kept nor renewed. The result ends it. */
export function revokeKeys(loop: Loop, credentials: Credentials): () => void {
  return loop.onChange((bot) => {
    const { instances, wanted } = loop.state(bot);
    if (wanted.type === 'absent' && instances?.length === 0) void credentials.revoke(bot);
  });
}
