import { botDefinition } from '../../../scripts/deploy.d/botDefinition.ts';
import { systemClock } from '../../../src/base/clock.ts';
import { isRuntimeError } from '../../../src/base/errors.ts';
import type { KubeClient } from '../../../src/host/kubernetes/kubeClient.ts';
import type { KubeObject } from '../../../src/host/kubernetes/objects.ts';
import { type Applied, type Resource, resource } from '../../../src/host/kubernetes/resource.ts';
import type { BotObject } from '../../../src/host/sources/kubernetes/readBot.ts';
import { botResource } from '../../../src/host/sources/kubernetes/resource.ts';

/** The custom resource of a namespace; its definition is brought to the cluster, which all tests share. */
export async function botsOf(client: KubeClient, namespace: string): Promise<Resource<BotObject>> {
  const signal = AbortSignal.timeout(60_000);
  const definitions = resource<KubeObject>(client, {
    api: 'apiextensions.k8s.io/v1',
    plural: 'customresourcedefinitions',
    namespace: undefined,
  });
  await definitions.apply(botDefinition() as unknown as Applied, 'tests', signal);
  const { apiVersion, plural } = botResource;
  const bots = resource<BotObject>(client, { api: apiVersion, plural, namespace });
  for (;;) {
    try {
      await client.call({ op: 'bots.list', subject: 'bots', method: 'GET', path: bots.path, signal });
      return bots;
    } catch (error) {
      // It takes a moment until the cluster serves it.
      if (!isRuntimeError(error, 'not-found')) throw error;
      await systemClock.sleep(50, signal);
    }
  }
}

/** A manifest of the kind Bot. */
export function aBot(name: string, spec: object = {}, metadata: object = {}): object {
  return {
    apiVersion: botResource.apiVersion,
    kind: botResource.kind,
    metadata: { name, ...metadata },
    spec: {
      type: 'realtime',
      runtime: 'python3.11',
      code: { file: `${name}/code.tar` },
      entrypoints: { bot: 'main.py' },
      ...spec,
    },
  };
}
