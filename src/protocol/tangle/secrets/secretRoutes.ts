import { Secret } from '../../../base/secret.ts';
import { VARIABLE_NAME } from '../../../host/sandboxes/checkVariables.ts';
import type { KeptSecret, Secrets } from '../../../host/sandboxes/secrets/openSecrets.ts';
import { invalid, notFound } from '../http/httpError.ts';
import type { Call, Route } from '../http/route.ts';

const MOST_CHARACTERS = 32_768;

/** Secrets of the caller, which sandboxes get as variables: create's `secrets: [names]`. */
export function secretRoutes({ secrets }: { readonly secrets: Secrets }): Route[] {
  const own = ({ caller, params }: Call): KeptSecret => {
    const name = params.name ?? '';
    const found = secrets.find(caller.name, name);
    if (found === undefined) throw notFound('secret', name);
    return found;
  };
  const all = '/v1/secrets';
  const one = '/v1/secrets/:name';
  return [
    {
      method: 'POST',
      path: all,
      scope: 'secrets',
      handle: async (call) => {
        const { name, value } = await call.body();
        if (typeof name !== 'string' || !VARIABLE_NAME.test(name))
          throw invalid({ name: 'expected a name of a variable' });
        return { status: 201, body: shown(secrets.add(call.caller.name, name, readValue(value))) };
      },
    },
    {
      method: 'GET',
      path: all,
      scope: 'secrets',
      handle: async ({ caller }) => ({ body: { secrets: secrets.all(caller.name).map(shown) } }),
    },
    {
      method: 'GET',
      path: one,
      scope: 'secrets',
      handle: async (call) => ({ body: { ...shown(own(call)), value: own(call).value.reveal() } }),
    },
    {
      method: 'PATCH',
      path: one,
      scope: 'secrets',
      handle: async (call) => {
        const { name } = own(call);
        const { value } = await call.body();
        return { body: shown(secrets.change(call.caller.name, name, readValue(value))) };
      },
    },
    {
      method: 'DELETE',
      path: one,
      scope: 'secrets',
      handle: async (call) => {
        secrets.remove(call.caller.name, own(call).name);
        return { body: { success: true } };
      },
    },
  ];
}

function readValue(value: unknown): Secret {
  if (typeof value !== 'string' || value.length > MOST_CHARACTERS || value.includes('\0'))
    throw invalid({ value: `expected a text of at most ${MOST_CHARACTERS} characters` });
  return new Secret(value);
}

const shown = ({ name, createdAt, updatedAt }: KeptSecret) => ({
  name,
  createdAt: new Date(createdAt).toISOString(),
  updatedAt: new Date(updatedAt).toISOString(),
});
