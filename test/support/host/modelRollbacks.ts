import { RuntimeError } from '../../../src/base/errors.ts';
import type { BotSpec } from '../../../src/host/bots/botSpec.ts';
import type { Rollbacks } from '../../../src/host/reconcile/rollbacks.ts';

/** A store in memory: `saved` are a bot's snapshots by what they hold, the first has sequence 1. */
export function createModelRollbacks(
  options: {
    saved?: string[];
    effect?: (what: string) => void;
    want?: (spec: BotSpec) => void | Promise<void>;
  } = {},
): Rollbacks & { readonly saved: string[]; readonly published: number[] } {
  const { saved = [], effect = () => undefined, want = () => undefined } = options;
  const published: number[] = [];
  const find = (sequence: number) => {
    const found = saved[sequence - 1];
    if (found === undefined) throw new RuntimeError('not-found', `no snapshot ${sequence}`);
    return found;
  };
  return {
    saved,
    published,
    check: async (_, sequence) => void find(sequence),
    publish: async (_, { sequence, askedAt }) => {
      const found = find(sequence);
      effect('before publish');
      if (!published.includes(askedAt)) {
        published.push(askedAt);
        saved.push(found);
      }
      effect('after publish');
    },
    want: async (spec) => {
      effect('before want');
      await want(spec);
      effect('after want');
    },
  };
}
