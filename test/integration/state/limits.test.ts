import { expect, test } from 'vitest';
import { newContainer } from '../../support/process/executable.ts';
import { both, faultyBot, isManifest, isPack, isPut } from '../../support/store/faultyStore.ts';

test.each(['MAX_STATE_SIZE_MB', 'MAX_STATE_FILE_SIZE_MB'])(
  'a state over %s: nothing of it is uploaded, no bot starts from it, and nothing is lost',
  async (limit) => {
    const bot = await faultyBot('[ -e big ] || head -c 1500000 /dev/urandom > big; sha256sum big');
    const first = await bot.start({ [limit]: '1' }).finished;
    expect(first.code, first.stderr).toBe(74);
    expect(first.stderr).toContain('the state is too large');
    expect(first.stderr).toContain(limit);
    expect(
      bot.proxy.requests.filter(both(isPut, (request) => isPack(request) || isManifest(request))),
    ).toEqual([]);
    expect((await bot.exitRecord()).stateSaved).toBe(false);
    // The same directories with a higher limit.
    expect(await bot.start({ [limit]: '2' }).finished).toMatchObject({ code: 0, stdout: first.stdout });
    const { env } = await newContainer();
    const refused = await bot.start({ ...env, [limit]: '1' }).finished;
    expect(refused).toMatchObject({ code: 65, stdout: '' });
    expect(refused.stderr).toContain(limit);
    expect(await bot.start(env).finished).toMatchObject({ code: 0, stdout: first.stdout });
  },
);
