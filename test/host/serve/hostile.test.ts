import { describe, expect, test, vi } from 'vitest';
import { docker, universalImage } from '../../support/container/docker.ts';
import { canMount } from '../../support/container/mountTmpfs.ts';
import { attackTools } from '../../support/host/attackTools.ts';
import { startOutside } from '../../support/host/outside.ts';
import { realServe } from '../../support/serve/realServe.ts';

const image = await universalImage();

/** What somebody who means harm would try first, as one line of JSON of what worked. */
const attack = (config: object) => `python3 - <<'END'
${attackTools}config = json.loads('''${JSON.stringify(config)}''')
def answer(url, token=None):
    request = urllib.request.Request(url, headers={"authorization": "Bearer " + token} if token else {})
    try: return urllib.request.urlopen(request, timeout=30).status
    except urllib.error.HTTPError as error: return error.code
    except OSError as error: return str(error)
found["sockets"] = [path for path in ["/var/run/docker.sock", "/run/docker.sock", config["socket"]] if os.path.exists(path)]
secrets = [b"MINIO_KEYS_SEAL=", b"PUBLISH_TOKEN="]
found["environments"] = [pid for pid in os.listdir("/proc") if pid.isdigit() and int(pid) != os.getpid()
                         and any(secret in text("/proc/%s/environ" % pid) for secret in secrets)]
found["plainKeys"] = [word for word in ["accessKey", "secretKey"] if word.encode() in text("/run/runtime/keys")]
gateway = socket.gethostbyname(socket.gethostname()).rsplit(".", 1)[0] + ".1"
found["host"] = [port for port in config["ports"] if reaches(gateway, port)]
found["victim"] = [port for port in [9476, 9478] if reaches(config["victim"], port)]
found["outside"] = [address for address in config["outside"] if any(reaches(address, config["outsidePort"]) for _ in range(10))]
store = "http://host.docker.internal:%d" % config["store"]
found["objects"] = [answer(store + path) for path in ["/bot-state/%s/head" % config["victimId"], "/bot-state/?list-type=2", "/.secret-key"]]
print("FOUND " + json.dumps(found))
END`;

describe.skipIf(image.missing !== undefined || !canMount)('a hostile sandbox', { timeout: 600_000 }, () => {
  test('gets at nothing of its host or of others, and takes nothing from them', async () => {
    await using outside = await startOutside(['47.47.47.2', '46.46.46.2']);
    await using serve = await realServe({ image: image.tag });
    await serve.start();
    const limits = { memoryMB: 256, cpuCores: 1 };
    const [evil, victim] = await Promise.all([
      serve.create({ name: 'evil', resources: limits, network: { allowList: ['47.47.47.2/32'] } }),
      serve.create({ name: 'victim', resources: limits }),
    ]);
    for (const { id } of [evil, victim]) await serve.until(id, 'running');
    await serve.exec(victim.id, "echo 'her own' > mine");
    const format = '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}';
    const address = (await docker('inspect', '-f', format, `rt-${victim.id}`)).trim();
    const port = Number(new URL(serve.url).port);

    const { stdout, stderr } = await serve.exec(
      evil.id,
      attack({
        socket: `${serve.data}/../socket`,
        ports: [port, 22, 2375],
        victim: address,
        victimId: victim.id,
        outside: ['47.47.47.2', '46.46.46.2'],
        outsidePort: outside.port,
        store: serve.storePort,
      }),
    );
    const found = /^FOUND (.*)$/m.exec(stdout)?.[1];
    expect(JSON.parse(found ?? expect.fail(stdout + stderr))).toEqual({
      sockets: [],
      variables: [],
      environments: [],
      plainKeys: [],
      writable: [],
      host: [],
      victim: [],
      // The control: what is open to it, it does reach.
      outside: ['47.47.47.2'],
      objects: [403, 403, 403],
    });

    // The other one's token opens hers alone.
    const { connection } = await serve.info(victim.id);
    const crossed = await fetch(`${serve.url}/sidecar/${evil.id}/fs/list/workspace`, {
      headers: { authorization: `Bearer ${connection?.authToken}` },
    });
    expect(crossed.status).toBe(403);

    // More memory and more processes than it has.
    const hog = await serve.exec(evil.id, "python3 -c 'x = bytearray(1 << 30); print(len(x))'");
    expect(hog.exitCode).not.toBe(0);
    const bomb = serve.call('POST', `/v1/sandboxes/${evil.id}/runtime/terminals/commands`, {
      command: 'f() { f | f & f; }; f',
      timeout: 5_000,
    });
    await vi.waitFor(async () => expect((await serve.exec(victim.id, 'cat mine')).stdout).toBe('her own\n'), {
      timeout: 120_000,
      interval: 200,
    });
    await bomb;
    await vi.waitFor(
      async () => expect((await serve.exec(evil.id, 'echo still here')).stdout).toBe('still here\n'),
      { timeout: 120_000, interval: 500 },
    );
    await serve.call('POST', `/v1/sandboxes/${evil.id}/stop`);
    await serve.until(evil.id, 'stopped');
    expect((await serve.info(victim.id)).status).toBe('running');
  });
});
