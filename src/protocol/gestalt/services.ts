import type { ServiceDefinition } from '@grpc/grpc-js';
import type { Root, Service, Type } from 'protobufjs';
import { common, parse } from '../../base/parts/protobuf.ts';
import { RUNTIME_SERVICES } from './generations.ts';
import proto from './provider.proto' with { type: 'text' };

export const PACKAGE = 'gestalt.provider.v1';
const WELL_KNOWN = ['empty', 'struct', 'timestamp'] as const;

const SERVICES = ['ProviderLifecycle', 'PluginRuntimeLogHost', ...RUNTIME_SERVICES] as const;

export type ServiceName = (typeof SERVICES)[number];

/** The services of `provider.proto`, as the gRPC library takes them. Names are lowerCamelCase on this side, enums by name. */
export function loadServices(): Readonly<Record<ServiceName, ServiceDefinition>> {
  const { root } = parse(proto, { keepCase: false });
  for (const name of WELL_KNOWN) root.addJSON(common.get(`google/protobuf/${name}.proto`)?.nested ?? {});
  root.resolveAll();
  const all = SERVICES.map((name) => [name, definitionOf(root, root.lookupService(`${PACKAGE}.${name}`))]);
  return Object.fromEntries(all) as Record<ServiceName, ServiceDefinition>;
}

function definitionOf(root: Root, service: Service): ServiceDefinition {
  const methods = service.methodsArray.map(({ name, requestType, responseType }) => {
    const [request, response] = [root.lookupType(scoped(requestType)), root.lookupType(scoped(responseType))];
    const definition = {
      path: `/${PACKAGE}.${service.name}/${name}`,
      requestStream: false,
      responseStream: false,
      ...codec('request', request),
      ...codec('response', response),
      originalName: name,
    };
    return [name, definition];
  });
  return Object.fromEntries(methods) as ServiceDefinition;
}

const scoped = (type: string) => (type.includes('.') ? type : `${PACKAGE}.${type}`);

function codec(side: 'request' | 'response', type: Type) {
  return {
    [`${side}Serialize`]: (value: object) => Buffer.from(type.encode(type.fromObject(value)).finish()),
    [`${side}Deserialize`]: (bytes: Buffer) =>
      type.toObject(type.decode(bytes), {
        defaults: true,
        arrays: true,
        objects: true,
        longs: Number,
        enums: String,
      }),
  };
}
