import type { ServerUnaryCall, sendUnaryData, UntypedServiceImplementation } from '@grpc/grpc-js';
import { bindHostService } from './bindHostService.ts';
import { endedWithin } from './endSession.ts';
import { NEWEST_PROTOCOL, OLDEST_PROTOCOL } from './generations.ts';
import type {
  BindHostServiceRequest,
  PrepareWorkspaceRequest,
  RemoveWorkspaceRequest,
  SessionIdRequest,
  StartPluginRequest,
  StartSessionRequest,
} from './messages.ts';
import { prepareWorkspace, removeWorkspace } from './prepareWorkspace.ts';
import type { Provider } from './provider.ts';
import { asRpcError, fitMessage, RpcError } from './rpcError.ts';
import { toMessage } from './session.ts';
import { startPlugin } from './startPlugin.ts';
import { startSession } from './startSession.ts';

/** gestaltd gives StopSession 3 s: what takes longer goes on in the background. */
const STOP_MS = 2000;

/** Every method of the provider's service, under each of its names. `provider` throws FAILED_PRECONDITION until it has been configured. */
export function runtimeProvider(provider: () => Provider): UntypedServiceImplementation {
  const start = unary((request: StartPluginRequest, cancelled) =>
    startPlugin(provider(), request, cancelled),
  );
  return {
    GetSupport: unary(() => {
      const { relay } = provider();
      return {
        canHostPlugins: true,
        hostServiceAccess: 'PLUGIN_RUNTIME_HOST_SERVICE_ACCESS_DIRECT',
        // Said only where it is enforced.
        egressMode:
          relay === undefined ? 'PLUGIN_RUNTIME_EGRESS_MODE_NONE' : 'PLUGIN_RUNTIME_EGRESS_MODE_HOSTNAME',
        supportsPrepareWorkspace: true,
      };
    }),
    StartSession: unary((request: StartSessionRequest) => toMessage(startSession(provider(), request))),
    GetSession: unary(({ sessionId }: SessionIdRequest) => toMessage(provider().sessions.get(sessionId))),
    ListSessions: unary(() => ({
      sessions: provider()
        .sessions.all()
        // One that failed too, until gestaltd lets go of it: there its operator reads why.
        .filter(({ isReleased }) => !isReleased)
        .map(toMessage),
    })),
    StopSession: unary(async ({ sessionId }: SessionIdRequest) => {
      const session = provider().sessions.find(sessionId);
      // It may come twice, and for one that never came to be.
      if (session === undefined) return {};
      session.isReleased = true;
      await endedWithin(provider(), session, STOP_MS);
      return {};
    }),
    StartPlugin: start,
    StartApp: start,
    BindHostService: unary((request: BindHostServiceRequest) => bindHostService(provider(), request)),
    PrepareWorkspace: unary(async (request: PrepareWorkspaceRequest, cancelled) => ({
      workspace: await prepareWorkspace(provider(), request, cancelled),
    })),
    RemoveWorkspace: unary(async (request: RemoveWorkspaceRequest) => {
      await removeWorkspace(provider(), request);
      return {};
    }),
  };
}

export interface Identity {
  readonly name: string;
  readonly version: string;
}

const KIND = 'PROVIDER_KIND_RUNTIME';

/** Every method of ProviderLifecycle. */
export function providerLifecycle(
  { name, version }: Identity,
  configure: (config: unknown) => Promise<void>,
): UntypedServiceImplementation {
  let spoken: number = OLDEST_PROTOCOL;
  return {
    GetProviderIdentity: unary(() => ({
      kind: KIND,
      name,
      displayName: 'Docker Engine',
      description: 'Runs plugins in containers of a Docker Engine.',
      version,
      minProtocolVersion: OLDEST_PROTOCOL,
      maxProtocolVersion: NEWEST_PROTOCOL,
    })),
    ConfigureProvider: unary(
      async ({ config, protocolVersion }: { config: unknown; protocolVersion: number }) => {
        if (protocolVersion < OLDEST_PROTOCOL || protocolVersion > NEWEST_PROTOCOL) {
          throw new RpcError(
            'FAILED_PRECONDITION',
            `protocol version ${protocolVersion}: this provider speaks ${OLDEST_PROTOCOL} to ${NEWEST_PROTOCOL}`,
          );
        }
        await configure(config);
        spoken = protocolVersion;
        return { protocolVersion };
      },
    ),
    HealthCheck: unary(() => ({ ready: true, message: '' })),
    StartProvider: unary(() => ({ protocolVersion: spoken })),
  };
}

/** A method with one request and one answer; what it throws becomes a status. */
function unary<Request, Answer>(
  answer: (request: Request, cancelled: AbortSignal) => Answer | Promise<Answer>,
) {
  return (call: ServerUnaryCall<Request, Answer>, done: sendUnaryData<Answer>): void => {
    const cancelled = new AbortController();
    call.on('cancelled', () => cancelled.abort());
    Promise.resolve()
      .then(() => answer(call.request, cancelled.signal))
      .then(
        (value) => done(null, value),
        (error: unknown) => {
          const { code, message } = asRpcError(error);
          done({ code, details: fitMessage(message) });
        },
      );
  };
}
