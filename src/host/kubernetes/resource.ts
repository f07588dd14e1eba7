import { isRuntimeError } from '../../base/errors.ts';
import type { KubeClient, KubeRequest } from './kubeClient.ts';
import type { KubeObject } from './objects.ts';

/** One kind of object in one namespace, by name. */
export interface Resource<T extends KubeObject> {
  readonly client: KubeClient;
  /** Of the collection: `/api/v1/namespaces/bots/pods`. */
  readonly path: string;
  /** For errors: `pods`. */
  readonly plural: string;
  /** Undefined: there is none of that name. */
  get(name: string, signal: AbortSignal): Promise<T | undefined>;
  /** `conflict` when the name is taken. Resolves with what the cluster has made of it. */
  create(object: object, signal: AbortSignal): Promise<T>;
  /**
   * Server-side apply: states the fields that `manager` owns, and takes them from whoever else has them. `subresource`: `status`.
   * Creates what is not there, but for a subresource.
   */
  apply(object: Applied, manager: string, signal: AbortSignal, subresource?: string): Promise<T>;
  /** A merge patch (RFC 7396), or a list of JSON patches (RFC 6902). `not-found`; `refused` when a `test` in it fails. */
  patch(name: string, patch: object, signal: AbortSignal, subresource?: string): Promise<T>;
  /**
   * Nothing when there is none; `conflict` when a precondition does not hold. Resolves with what is left of it for now: it may have
   * to end first, or wait for a finalizer.
   */
  remove(name: string, options: RemoveOptions, signal: AbortSignal): Promise<T | undefined>;
}

export interface Applied {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string };
}

export interface RemoveOptions {
  readonly uid?: string;
  readonly resourceVersion?: string;
  /** Of a pod: how long it may take to end. */
  readonly graceSeconds?: number;
  readonly propagation?: 'Background' | 'Foreground' | 'Orphan';
}

export interface ResourceKind {
  /** `v1`, `runtime.bots/v1alpha1`. */
  readonly api: string;
  readonly plural: string;
  /** Undefined: of the whole cluster. */
  readonly namespace: string | undefined;
}

export function resource<T extends KubeObject>(client: KubeClient, kind: ResourceKind): Resource<T> {
  const { api, plural, namespace } = kind;
  const root = api.includes('/') ? `/apis/${api}` : `/api/${api}`;
  const path = `${root}${namespace === undefined ? '' : `/namespaces/${namespace}`}/${plural}`;
  const at = (name: string, subresource?: string) =>
    `${path}/${encodeURIComponent(name)}${subresource === undefined ? '' : `/${subresource}`}`;
  const call = <R>(
    verb: string,
    name: string,
    rest: Pick<KubeRequest, 'method' | 'path' | 'signal'> & Partial<KubeRequest>,
  ) => client.call<R>({ op: `${plural}.${verb}`, subject: `${plural}/${name}`, ...rest });

  return {
    client,
    path,
    plural,
    async get(name, signal) {
      try {
        return await call<T>('get', name, { method: 'GET', path: at(name), signal });
      } catch (error) {
        if (isRuntimeError(error, 'not-found')) return undefined;
        throw error;
      }
    },
    create: (object, signal) =>
      call<T>('create', (object as KubeObject).metadata.name, { method: 'POST', path, body: object, signal }),
    apply: (object, manager, signal, subresource) =>
      call<T>('apply', object.metadata.name, {
        method: 'PATCH',
        path: at(object.metadata.name, subresource),
        query: { fieldManager: manager, force: 'true' },
        // JSON is YAML.
        contentType: 'application/apply-patch+yaml',
        body: object,
        signal,
      }),
    patch: (name, patch, signal, subresource) =>
      call<T>('patch', name, {
        method: 'PATCH',
        path: at(name, subresource),
        contentType: Array.isArray(patch) ? 'application/json-patch+json' : 'application/merge-patch+json',
        body: patch,
        signal,
      }),
    async remove(name, { uid, resourceVersion, graceSeconds, propagation }, signal) {
      const preconditions = { ...(uid && { uid }), ...(resourceVersion && { resourceVersion }) };
      const body = {
        apiVersion: 'v1',
        kind: 'DeleteOptions',
        ...(Object.keys(preconditions).length > 0 && { preconditions }),
        ...(graceSeconds !== undefined && { gracePeriodSeconds: graceSeconds }),
        ...(propagation && { propagationPolicy: propagation }),
      };
      try {
        const left = await call<T>('remove', name, { method: 'DELETE', path: at(name), body, signal });
        return left.metadata?.deletionTimestamp ? left : undefined;
      } catch (error) {
        if (!isRuntimeError(error, 'not-found')) throw error;
        return undefined;
      }
    },
  };
}
