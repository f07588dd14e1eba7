import type { BindHostServiceRequest } from './messages.ts';
import type { Provider } from './provider.ts';
import { RpcError } from './rpcError.ts';

/** Up to v0.0.1-alpha.6: a host service's socket on gestaltd's machine, by the variable in which the plugin looks for it. */
export function bindHostService(
  { sessions }: Provider,
  { sessionId, envVar, relay }: BindHostServiceRequest,
) {
  const session = sessions.get(sessionId);
  const target = relay?.dialTarget ?? '';
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(envVar)) {
    throw new RpcError('INVALID_ARGUMENT', `env_var ${JSON.stringify(envVar)} is not a name of a variable`);
  }
  if (!/^(unix:\/\/\/|(tcp|tls):\/\/.)/.test(target)) {
    throw new RpcError(
      'INVALID_ARGUMENT',
      `dial target ${JSON.stringify(target)} is neither unix:///path nor tcp:// nor tls://`,
    );
  }
  if (session.hasPlugin)
    throw new RpcError('FAILED_PRECONDITION', `session ${sessionId} has its plugin already`);
  session.bindings.set(envVar, target);
  return { id: `${sessionId}-${envVar}`, sessionId, envVar, relay: { dialTarget: target } };
}
