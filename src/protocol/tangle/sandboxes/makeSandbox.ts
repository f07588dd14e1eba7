import { anywhere, ofNew, ofResumed } from '../../../host/sandboxes/placement/capacity.ts';
import type { Hints, HostView } from '../../../host/sandboxes/placement/place.ts';
import type { NewSandbox, Sandbox, Sandboxes } from '../../../host/sandboxes/sandboxes.ts';
import type { Secrets } from '../../../host/sandboxes/secrets/openSecrets.ts';
import type { Caller } from '../access/caller.ts';
import { notFound, refusedFor } from '../http/httpError.ts';
import { asShortage, type Ground, refuse, violationsOf } from './admission.ts';
import { checkHosts } from './checkHosts.ts';
import { completed } from './completed.ts';
import { policyRequest, policyRequestOf } from './policyRequest.ts';
import type { WantedSandbox } from './readCreate.ts';

export interface MakeSandbox extends Ground {
  readonly sandboxes: Sandboxes;
  readonly secrets: Secrets;
  /** All that a request may name. */
  readonly allHosts: () => readonly HostView[];
  /** Told of where one goes, and why there. */
  readonly placed: (sandbox: Sandbox, placed: { readonly host: string; readonly why: string }) => void;
}

export interface Maker {
  /**
   * The request with everything said, if it may be asked. `elsewhere`: how many this key has on other hosts, and whether one of them is
   * what is asked for again. Throws 400 (a host), 403, 404 (a secret), 429: nothing has been made by then.
   */
  admit(
    wanted: WantedSandbox,
    caller: Pick<Caller, 'name' | 'by' | 'isSentOn'>,
    from?: NewSandbox['from'],
    elsewhere?: { readonly count: number; readonly hasIt: boolean },
  ): NewSandbox;
  /** Throws 503. */
  put(admitted: NewSandbox, hints: Hints): Promise<Sandbox>;
  /** Both. */
  make(
    wanted: WantedSandbox,
    caller: Pick<Caller, 'name' | 'by' | 'isSentOn'>,
    from?: NewSandbox['from'],
  ): Promise<Sandbox>;
  /** What it was given is asked for anew, of the policy as it is now; of one that comes from another host, its place as well. Throws 403, 429 and 503. */
  resume(sandbox: Sandbox): Promise<Sandbox>;
}

/**
 * From what a client wants to what the host is told: policy → quota → secrets → room → written down. The first that says no ends it,
 * and nothing has been done by then.
 */
export function sandboxMaker(parts: MakeSandbox): Maker {
  const { sandboxes, policy, capacity, secrets } = parts;

  const admit: Maker['admit'] = (wanted, { name: owner, by, isSentOn }, from, elsewhere) => {
    // Another server has names of its own for them.
    if (!isSentOn) checkHosts(wanted.hints, parts.allHosts());
    refuse(violationsOf(parts, owner, policyRequest(wanted)));
    const rules = policy.rulesOf(owner);
    const request = completed(wanted, rules, {
      owner,
      from,
      // Another server has looked them up where they are kept.
      secretEnv: by === undefined ? valuesOf(secrets, owner, wanted.secrets) : wanted.secretEnv,
    });
    // Asked again it has its place already, and the host says whether it is the same request.
    if (!elsewhere?.hasIt && !isAskedAgain(sandboxes, request))
      checkQuota(sandboxes, owner, rules.resources.sandboxes, elsewhere?.count ?? 0);
    return request;
  };

  const put: Maker['put'] = async (request, hints) => {
    if (isAskedAgain(sandboxes, request)) return await sandboxes.create(request);
    return await capacity
      .hold(ofNew(request.resources), hints, async (placed) => {
        const made = await sandboxes.create(request);
        parts.placed(made, { host: placed.host, why: placed.why });
        return made;
      })
      .catch((error: unknown) => {
        throw asShortage(error);
      });
  };

  return {
    admit,
    put,
    make: async (wanted, caller, from) => await put(admit(wanted, caller, from), wanted.hints),
    resume: async (sandbox) => {
      const { id, owner, resources, isVisiting } = sandbox;
      refuse(violationsOf(parts, owner, policyRequestOf(sandbox)));
      if (isVisiting) checkQuota(sandboxes, owner, policy.rulesOf(owner).resources.sandboxes, 0);
      return await capacity
        .hold(isVisiting ? ofNew(resources) : ofResumed(sandbox), anywhere, async (placed) => {
          const resumed = await sandboxes.resume(id);
          if (isVisiting) parts.placed(resumed, { host: placed.host, why: placed.why });
          return resumed;
        })
        .catch((error: unknown) => {
          throw asShortage(error);
        });
    },
  };
}

/** Throws 404. */
function valuesOf(secrets: Secrets, owner: string, names: readonly string[]): NewSandbox['secretEnv'] {
  return Object.fromEntries(
    names.map((name) => {
      const found = secrets.find(owner, name);
      if (found === undefined) throw notFound('secret', name);
      return [name, found.value];
    }),
  );
}

/** There is one that was made by this key of this owner. */
export function isAskedAgain(sandboxes: Sandboxes, { owner, idempotencyKey }: NewSandbox): boolean {
  if (idempotencyKey === undefined) return false;
  return sandboxes.all().some((one) => one.owner === owner && one.idempotencyKey === idempotencyKey);
}

/** `elsewhere`: how many it has on other hosts. Throws 429. */
function checkQuota(sandboxes: Sandboxes, owner: string, limit: number, elsewhere: number): void {
  const current = sandboxes.all().filter((one) => one.owner === owner).length + elsewhere;
  if (current < limit) return;
  const why = `the key ${owner} has ${current} sandboxes, of ${limit} that it may have; delete one`;
  throw refusedFor(60, 429, 'QUOTA_EXCEEDED', why, { quotaType: 'sandboxes', current, limit });
}
