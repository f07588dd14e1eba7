import { describe, expect, test, vi } from 'vitest';
import { docker, universalImage } from '../../support/container/docker.ts';
import { canMount } from '../../support/container/mountTmpfs.ts';
import { attackTools } from '../../support/host/attackTools.ts';
import { ownName } from '../../support/host/ownName.ts';
import { realHost } from '../../support/host/realHost.ts';
import { startMinio } from '../../support/store/minio.ts';

const image = await universalImage();

/** What a bot that means harm would try first; it prints what worked, as one line of JSON. */
const attack = `${attackTools}
import threading

config = json.loads(os.environ["BOT_CONFIG"])
found["sockets"] = [path for path in ["/var/run/docker.sock", "/run/docker.sock", "/run/runtime/host.sock", config["socket"]] if os.path.exists(path)]
found["processes"] = [pid for pid in os.listdir("/proc") if pid.isdigit() and int(pid) != os.getpid()
                      and b"MINIO_KEYS_SEAL=" in text("/proc/%s/environ" % pid)]
keys = text("/run/runtime/keys")
found["keys"] = len(keys) > 0
found["plain"] = [word for word in [b"accessKey", b"secretKey", config["accessKey"].encode()] if word in keys]

own = socket.gethostbyname(socket.gethostname())
gateway = own.rsplit(".", 1)[0] + ".1"
neighbours = [own.rsplit(".", 1)[0] + ".%d" % last for last in range(2, 30)]
others = []
def ask(address):
    if address != own and reaches(address, 7000): others.append(address)
threads = [threading.Thread(target=ask, args=(address,)) for address in neighbours]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
found["others"] = others
found["host"] = [port for port in config["ports"] if reaches(gateway, port)]

def answer(path):
    url = os.environ["STORE_ADDRESS"] if "STORE_ADDRESS" in os.environ else config["store"]
    try: return urllib.request.urlopen(url + path, timeout=30).status
    except urllib.error.HTTPError as error: return error.code
    except OSError as error: return str(error)
found["store"] = answer("/minio/health/live")
found["objects"] = [answer(path) for path in ["/bot-state/%s/head" % config["victim"], "/bot-state/?list-type=2", "/custom-bots/?list-type=2"]]
print("FOUND " + json.dumps(found), flush=True)
import time
while True: time.sleep(1)
`;

const victim = `
import socket, time
server = socket.create_server(("0.0.0.0", 7000))
open("/state/mine", "w").write("victim's own")
while True: server.accept()[0].close()
`;

describe.skipIf(image.missing !== undefined || !canMount)('a hostile bot', { timeout: 600_000 }, () => {
  test('finds no socket, no key, no other bot, no service of its host and no object of others', async () => {
    const minio = await startMinio({ address: '0.0.0.0', quiet: true });
    try {
      await using host = await realHost({ image: image.tag, minio });
      const [victimName, evil] = [ownName('victim'), ownName('evil')];
      const bot = (name: string, config = '{}') =>
        `name: ${name}\ntype: realtime\nruntime: python3.11\nentrypoints: {bot: main.py}\nconfig: ${config}\n`;
      host.write({ [`${victimName}/bot.yaml`]: bot(victimName), [`${victimName}/main.py`]: victim });
      await host.start();
      const running = async (name: string) =>
        vi.waitFor(
          async () => {
            const state = (await host.list()).find((one) => one.name === name)?.state;
            expect(state, host.log()).toBe('running');
          },
          { timeout: 90_000, interval: 500 },
        );
      await running(victimName);
      await vi.waitFor(async () => void (await minio.client.statObject('bot-state', `${victimName}/head`)), {
        timeout: 120_000,
        interval: 500,
      });
      const config = JSON.stringify({
        accessKey: minio.accessKey,
        victim: victimName,
        socket: `${host.data}/../host.sock`,
        ports: [host.queryPort, host.healthPort, 22],
        store: `http://host.docker.internal:${minio.port}`,
      });
      host.write({ [`${evil}/bot.yaml`]: bot(evil, config), [`${evil}/main.py`]: attack });
      await running(evil);
      const found = await vi.waitFor(
        async () => {
          const line = /^FOUND (.*)$/m.exec(await docker('logs', `rt-${evil}`))?.[1];
          if (line === undefined) throw new Error(await docker('logs', `rt-${evil}`));
          return JSON.parse(line) as unknown;
        },
        { timeout: 120_000, interval: 500 },
      );
      expect(found).toEqual({
        sockets: [],
        variables: [],
        processes: [],
        keys: true,
        plain: [],
        writable: [],
        others: [],
        host: [],
        // The control: what is open to it, it does reach.
        store: 200,
        objects: [403, 403, 403],
      });
      // And its own state is saved, with keys that it has never seen.
      await vi.waitFor(async () => void (await minio.client.statObject('bot-state', `${evil}/head`)), {
        timeout: 120_000,
        interval: 500,
      });
      const [{ Config, HostConfig }] = JSON.parse(await docker('inspect', `rt-${evil}`));
      expect(JSON.stringify(Config.Env)).not.toContain(minio.secretKey);
      expect(HostConfig.Binds ?? []).toEqual([]);
    } finally {
      await minio.stop();
    }
  });
});
