import { writeFileSync } from 'node:fs';
import { getAsset, getAssetKeys } from 'node:sea';
import { setFlagsFromString } from 'node:v8';
import { Script } from 'node:vm';
import { freePort } from '../../src/agent/process/freePort.ts';

/**
 * For the build: writes V8's cache of the code of each part, which V8 takes only from a process of the same snapshot, and which of Node's
 * modules such a process has. The cache of the query server holds all that a life of it runs: it starts in many containers.
 */
export async function cacheParts(folder: string): Promise<void> {
  const loaded = (process as unknown as { moduleLoadList: string[] }).moduleLoadList;
  writeFileSync(`${folder}/loaded.json`, JSON.stringify(loaded));
  const names = getAssetKeys().flatMap((key) => (key.endsWith('.js') ? [key.slice(0, -3)] : []));
  // That last: what it compiles of other parts would be in their caches, too.
  for (const name of [...names.filter((name) => name !== 'query'), 'query']) {
    const script = new Script(getAsset(`${name}.js`, 'latin1'), { filename: `runtime:${name}` });
    if (name === 'query') await serve(script, folder);
    writeFileSync(`${folder}/${name}.cache`, script.createCachedData());
  }
  process.exit(0);
}

/** Leads a life of the query server. */
async function serve(script: Script, folder: string): Promise<void> {
  setFlagsFromString('--no-flush-bytecode');
  const port = await freePort();
  const env = {
    PATH: process.env.PATH,
    MINIO_ENDPOINT: process.env.RUNTIME_BUILD_STORE,
    MINIO_ACCESS_KEY: 'warm',
    MINIO_SECRET_KEY: 'warm',
    BOT_ID: 'warm',
    BOT_USER: 'none',
    BOT_TYPE: 'realtime',
    RUNTIME: 'command',
    ENTRYPOINT: 'true',
    CODE_FILE: 'code.zip',
    QUERY_ENTRYPOINT: 'true',
    QUERY_PORT: String(port),
    CODE_PATH: `${folder}/code`,
    STATE_PATH: `${folder}/state`,
    LOGS_PATH: `${folder}/the0/logs`,
  };
  const surroundings = Object.create(process, {
    argv: { value: [process.execPath, process.execPath, 'execute', '--query-server-only'] },
    env: { value: env },
  }) as NodeJS.Process;
  const module = { exports: {} as { run(process: NodeJS.Process): Promise<number | undefined> } };
  script.runInThisContext()(module.exports, process.getBuiltinModule, module);
  const life = module.exports.run(surroundings);
  for (let tries = 0; tries < 200; tries++) {
    const answer = await fetch(`http://127.0.0.1:${port}/_runtime/healthz`).catch(() => undefined);
    if (answer) break;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  process.kill(process.pid, 'SIGTERM');
  const code = await life;
  if (code !== 0 && code !== 143) throw new Error(`a life of the query server ended with ${code}`);
  // A cache is good for processes with the same flags.
  setFlagsFromString('--flush-bytecode');
  setFlagsFromString('--no-expose-gc');
}
