import { expect } from 'vitest';
import { counter, lives, signal } from '../support/kubernetes/counterBot.ts';
import { kubeHost } from '../support/kubernetes/kubeHost.ts';
import { kubeTest, theCluster } from '../support/kubernetes/kubeTest.ts';

kubeTest('another image comes in waves: each bot ends in order and begins again with it', async () => {
  const { image } = theCluster();
  await using host = await kubeHost({ RUNTIME_HOST_LOST_NODE: 'replace' });
  for (const name of ['w1', 'w2', 'w3']) host.write(counter(name));
  await host.start();
  for (const name of ['w1', 'w2', 'w3']) await lives(host, name, 1);
  await host.kill();
  // The same bytes by another name.
  const other = image.startsWith('docker.io/')
    ? image.replace('docker.io/library/', '')
    : `docker.io/library/${image}`;
  await host.start({ RUNTIME_IMAGE: other });
  for (const name of ['w1', 'w2', 'w3']) await lives(host, name, 2);
  const bodies = await Promise.all(['w1', 'w2', 'w3'].map((name) => host.pods.get(`rt-${name}`, signal())));
  for (const body of bodies) expect(JSON.stringify(body)).toContain(`"image":"${other}"`);
});
