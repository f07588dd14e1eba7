import { createServer } from 'node:net';

/** Below what the kernel gives to whoever asks for any port, and to whoever connects. */
const FIRST = 12_000;
const OF_A_WORKER = 2_000;
const WORKERS = 8;

const worker = Number(process.env.VITEST_POOL_ID ?? 0) % WORKERS;
// Programs that are not tests are all worker 0: those that start one after the other are far apart.
let next = process.pid * 61;

/** A port that nobody has, and that nobody gets by chance until it is taken: each worker of the tests hands out its own, in turn. */
export async function freePort(): Promise<number> {
  for (;;) {
    next += 1;
    const port = FIRST + worker * OF_A_WORKER + (next % OF_A_WORKER);
    if (await isFree(port)) return port;
  }
}

/** On no address of this machine is it taken. */
function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '0.0.0.0', () => server.close(() => resolve(true)));
  });
}
