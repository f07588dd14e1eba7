import { describe, test } from 'vitest';
import { universalImage } from '../../support/container/docker.ts';
import { agentFiles, HOST_TOKEN, speakThroughHost } from '../../support/host/hostedAgent.ts';
import { ownName } from '../../support/host/ownName.ts';
import { realHost } from '../../support/host/realHost.ts';
import { startMinio } from '../../support/store/minio.ts';

const image = await universalImage();

describe.skipIf(image.missing !== undefined)('agents of a host', { timeout: 300_000 }, () => {
  test('an agent in a container is listed and asked through the host, and knows its conversations in the next one', async () => {
    const minio = await startMinio({ address: '0.0.0.0' });
    try {
      await using host = await realHost({
        image: image.tag,
        minio,
        env: { RUNTIME_QUERY_TOKEN: HOST_TOKEN, SYNC_INTERVAL: '2s' },
      });
      const name = ownName('helper');
      host.write(agentFiles(name));
      await host.start();
      await speakThroughHost(host, name, () => host.cli('restart', name));
    } finally {
      await minio.stop();
    }
  });
});
