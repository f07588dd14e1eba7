import { writeFileSync } from 'node:fs';
import { getAsset, getAssetKeys } from 'node:sea';
import { setFlagsFromString } from 'node:v8';
import { compileFunction, Script } from 'node:vm';
import { freePort } from '../../src/agent/process/freePort.ts';

/** The names with which Node calls what is in a module of its own: a cache is for these only. */
const PARAMETERS = ['exports', 'require', 'module', 'process', 'internalBinding', 'primordials'];

/**
 * For the build: writes V8's cache of the code of each part and of each of Node's modules. V8 takes a cache only from a process of the same
 * snapshot and the same flags. The cache of the query server holds all that a life of it runs: it starts in many containers.
 */
export async function cacheParts(folder: string): Promise<void> {
  writeFileSync(`${folder}/node.json`, JSON.stringify(cacheNode()));
  const names = getAssetKeys().flatMap((key) => (key.endsWith('.js') ? [key.slice(0, -3)] : []));
  // That last: what it compiles of other parts would be in their caches, too.
  for (const name of [...names.filter((name) => name !== 'query'), 'query']) {
    const script = new Script(getAsset(`${name}.js`, 'latin1'), { filename: `runtime:${name}` });
    if (name === 'query') await serve(script, folder);
    writeFileSync(`${folder}/${name}.cache`, script.createCachedData());
  }
  process.exit(0);
}

/** Of Node's modules by their ids, base64. */
function cacheNode(): Record<string, string> {
  const { binding } = process as unknown as { binding(name: 'natives'): Record<string, string | undefined> };
  const caches: Record<string, string> = {};
  for (const [id, source] of Object.entries(binding('natives'))) {
    // Those that make a process are called otherwise, and among those of others are ES modules.
    if (source === undefined || /^internal\/(bootstrap|main|per_context|deps)\//.test(id)) continue;
    const options = { filename: `node:${id}`, produceCachedData: true };
    const { cachedData } = compileFunction(source, PARAMETERS, options) as { cachedData?: Buffer };
    if (cachedData) caches[id] = cachedData.toString('base64');
  }
  return caches;
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
