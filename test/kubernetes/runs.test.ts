import { setTimeout as pause } from 'node:timers/promises';
import { expect, vi } from 'vitest';
import { soon, until } from '../support/kubernetes/counterBot.ts';
import { kubeHost } from '../support/kubernetes/kubeHost.ts';
import { kubeTest } from '../support/kubernetes/kubeTest.ts';
import { scaled } from '../support/scale.ts';

kubeTest(
  'a time is run once, whatever becomes of the host in between, and its pod stays until that is written down',
  async () => {
    await using host = await kubeHost();
    host.write({
      'ledger/bot.yaml': `name: ledger
type: scheduled
runtime: command
entrypoints: {bot: 'mkdir -p "$STATE_DIR"; echo "$RUN_TIME" >> "$STATE_DIR/times"; cat "$STATE_DIR/times"; sleep 1'}
schedule: {cron: "*/6 * * * * *"}
`,
      'ledger/code': 'nothing',
    });
    await host.start();
    const runs = async () => {
      const events = (await host.events()).filter(({ bot }) => bot === 'ledger');
      const times = (type: string) =>
        events.filter((event) => event.type === type).map(({ facts }) => Number(facts.time));
      return { ended: times('ended'), lost: times('lost'), other: [...times('missed'), ...times('skipped')] };
    };
    for (let kills = 0; kills < scaled(2); kills += 1) {
      const before = (await until(runs, ({ ended }) => ended.length > kills)).ended.length;
      // At a moment that nobody has chosen.
      await pause(Math.random() * 6_000);
      await host.kill();
      await pause(Math.random() * 2_000);
      await host.start();
      await until(runs, ({ ended }) => ended.length > before);
    }
    await host.cli('disable', 'ledger');
    await vi.waitFor(async () => expect((await host.list())[0]).toMatchObject({ state: 'disabled' }), soon);
    const { ended, lost } = await runs();
    expect(lost).toEqual([]);
    // A host that is killed may tell an event twice; what has run is what the bot has written.
    const file = await host.stateFile('ledger', 'times');
    const ran = file
      .trim()
      .split('\n')
      .map((text) => Date.parse(text));
    expect(new Set(ran).size).toBe(ran.length);
    expect([...ran].sort()).toEqual([...new Set(ended)].sort());
  },
);
