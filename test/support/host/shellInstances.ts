import type { BotSpec } from '../../../src/host/bots/botSpec.ts';
import { names } from '../../../src/host/bots/names.ts';
import type { InstanceSpec, Role } from '../../../src/host/engine/engine.ts';
import type { Instances } from '../../../src/host/instances/instances.ts';
import { modelInstances } from './modelHost.ts';
import type { TestDocker } from './testDocker.ts';

/** Instances for a real engine that are a shell script each: what runs needs no store and no runtime. */
export function shellInstances(docker: TestDocker, script: string): Instances {
  const make = (spec: BotSpec, role: Role, name: string, run: number | undefined): InstanceSpec =>
    docker.spec(name, script, {
      bot: spec.name,
      role,
      run,
      hash: spec.name,
      stopTimeoutMs: spec.stopTimeoutMs,
    });
  return {
    ...modelInstances(),
    hash: (spec) => spec.name,
    bot: async (spec) => make(spec, 'bot', names.bot(spec.name), undefined),
    run: async (spec, time) => make(spec, 'run', names.run(spec.name, time), time),
  };
}
