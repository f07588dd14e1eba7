import { expect, vi } from 'vitest';
import { agentFiles, HOST_TOKEN, speakThroughHost } from '../support/host/hostedAgent.ts';
import { signal, soon, uidOf } from '../support/kubernetes/counterBot.ts';
import { kubeHost } from '../support/kubernetes/kubeHost.ts';
import { kubeTest, theCluster } from '../support/kubernetes/kubeTest.ts';

kubeTest(
  'an agent in a pod is listed and asked through the host, and knows its conversations in the next pod',
  async () => {
    await using host = await kubeHost({ RUNTIME_QUERY_TOKEN: HOST_TOKEN });
    host.write(agentFiles('helper'));
    await host.start();
    const replace = async () => {
      const first = await uidOf(host, 'rt-helper');
      await host.pods.remove('rt-helper', {}, signal());
      await vi.waitFor(async () => expect(await uidOf(host, 'rt-helper')).not.toBe(first), soon);
    };
    await speakThroughHost(host, 'helper', replace, theCluster().enter);
  },
);
