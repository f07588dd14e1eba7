import { RuntimeError } from '../../../base/errors.ts';
import { Secret } from '../../../base/secret.ts';
import type { KubeClient } from '../../kubernetes/kubeClient.ts';
import type { SecretObject } from '../../kubernetes/objects.ts';
import { resource } from '../../kubernetes/resource.ts';

/**
 * Without it a Secret is given to no bot: whoever may write a Bot could have the host's own keys, or those of another bot.
 */
export const FOR_BOTS = 'runtime.bots/secret';

/** Files of a bot by their names, from a Secret: the only key is a file named as the Secret, each of several is `NAME.KEY`. */
export type BotSecrets = (name: string, signal: AbortSignal) => Promise<Readonly<Record<string, Secret>>>;

/** Reads the Secrets of a namespace that are marked as being for bots. `config`, with what to do, when one is not there, not marked or empty. */
export function botSecrets(client: KubeClient, namespace: string): BotSecrets {
  const secrets = resource<SecretObject>(client, { api: 'v1', plural: 'secrets', namespace });
  return async (name, signal) => {
    const found = await secrets.get(name, signal);
    const wrong = (what: string, hint: string) =>
      new RuntimeError('config', `the secret ${name} ${what}`, { op: 'host.secrets', path: name, hint });
    const all = `kubectl -n ${namespace}`;
    if (found === undefined) {
      const hint = `Make it (${all} create secret generic ${name} --from-file=${name}=FILE), or take it out of the bot's secrets.`;
      throw wrong(`is not in the namespace ${namespace}`, hint);
    }
    if (found.metadata.labels?.[FOR_BOTS] !== 'true')
      throw wrong(
        'is not for bots',
        `${all} label secret ${name} ${FOR_BOTS}=true gives it to those who name it.`,
      );
    const keys = Object.entries(found.data ?? {});
    if (keys.length === 0)
      throw wrong('holds nothing', `Give it a key: its value becomes /run/secrets/${name}.`);
    return Object.fromEntries(
      keys.map(([key, value]) => [
        keys.length === 1 ? name : `${name}.${key}`,
        new Secret(Buffer.from(value, 'base64').toString()),
      ]),
    );
  };
}
