import { systemClock } from '../../../src/base/clock.ts';
import type { Engine, Instance, InstanceSpec } from '../../../src/host/engine/engine.ts';
import { openKubernetes } from '../../../src/host/engine/kubernetes/openKubernetes.ts';
import type { PodOptions } from '../../../src/host/engine/kubernetes/pods/podOptions.ts';
import { smallInstance } from '../host/smallInstance.ts';
import { memoryLog } from '../memoryLog.ts';
import { theCluster } from './kubeTest.ts';
import { type TestNamespace, testNamespace } from './testNamespace.ts';

export interface TestEngine extends AsyncDisposable {
  readonly engine: Engine;
  readonly space: TestNamespace;
  /** A small instance that runs a shell script. */
  spec(name: string, script: string, more?: Partial<InstanceSpec>): InstanceSpec;
  run(name: string, script: string, more?: Partial<InstanceSpec>): Promise<void>;
  /** Resolves once it is in that state. */
  until(name: string, state: Instance['state']): Promise<Instance>;
  when(name: string, is: (one: Instance) => boolean): Promise<Instance>;
  untilGone(name: string): Promise<void>;
}

export const signal = (): AbortSignal => AbortSignal.timeout(90_000);

/** The driver on the real cluster, in a namespace of its own. */
export async function testEngine(pods: Partial<PodOptions> = {}): Promise<TestEngine> {
  const space = await testNamespace();
  const engine = await openKubernetes({
    client: space.client,
    namespace: space.name,
    host: 'test',
    pods: { layout: 'single', lostNode: 'wait', template: {}, ...pods },
    clock: systemClock,
    monotonic: () => performance.now(),
    random: Math.random,
    log: memoryLog().log,
  });
  const spec: TestEngine['spec'] = (...script) => smallInstance(theCluster().image, ...script);
  const seen = (name: string) => engine.inspect(name, signal());
  const when: TestEngine['when'] = async (name, is) => {
    for (const limit = signal(); ; ) {
      const one = await seen(name);
      if (one !== undefined && is(one)) return one;
      await systemClock.sleep(50, limit);
    }
  };
  return {
    engine,
    space,
    spec,
    run: async (name, script, more) => {
      await engine.create(spec(name, script, more), signal());
      await engine.start(name, signal());
    },
    until: (name, state) =>
      when(name, (one) => one.state === state && (state !== 'running' || one.startedAt !== undefined)),
    when,
    untilGone: async (name) => {
      const limit = signal();
      while ((await seen(name)) !== undefined) await systemClock.sleep(50, limit);
    },
    [Symbol.asyncDispose]: async () => {
      await engine.close();
      await space[Symbol.asyncDispose]();
    },
  };
}
